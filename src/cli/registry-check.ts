import { Command, Option } from 'commander';
import { effectiveTag, type ImageReference, parseImageReference } from '../core/image-reference.ts';
import { readWorkloadKind } from '../core/workload-kind.ts';
import { type WorkloadKind, workloadKindNames } from '../core/workload.ts';
import type { RegistryCheck } from '../operator/check-registry.ts';
import { type CommandIo, type ExitCode, processIo, withIo } from './command-io.ts';
import { formatRegistryCheck } from './registry-check-output.ts';
import { printable } from './text-table.ts';

/** What to look at, and with whose eyes. */
export interface RegistryCheckQuestion {
  readonly reference: ImageReference;
  readonly wanted: string;
  readonly noCluster: boolean;
  readonly namespace: string | undefined;
  readonly workload: { readonly kind: WorkloadKind; readonly name: string } | undefined;
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export type RegistryCheckAnswer =
  | { readonly check: RegistryCheck }
  | { readonly failed: 'usage' | 'unreachable' | 'forbidden' | 'refused'; readonly message: string };

export interface RegistryCommandOptions {
  /** Asks cluster and registry. */
  readonly check: (question: RegistryCheckQuestion) => Promise<RegistryCheckAnswer>;
  readonly io?: CommandIo;
}

interface Flags {
  readonly namespace?: string;
  readonly asWorkload?: string;
  readonly cluster: boolean;
  readonly configPath?: string;
  readonly kubeconfig?: string;
  readonly registryInsecureHosts?: string;
  readonly output: 'text' | 'json';
}

const failedCodes = { usage: 2, unreachable: 3, forbidden: 4, refused: 1 } as const;

/** `headwind registry check <image>`: which credential opens this repository, and what does its registry answer? */
export function registryCommand(options: RegistryCommandOptions): Command {
  const { io = processIo } = options;
  const command = new Command('registry')
    .description('Look at registries as the operator does')
    .summary('does a registry answer, and to whom?');
  return withIo(command, io).addCommand(checkCommand(options, io));
}

function checkCommand(options: RegistryCommandOptions, io: CommandIo): Command {
  const command = new Command('check')
    .description(
      'Ask a registry about one image with the credentials that a pod would use: which were tried in which order, what came back, ' +
        'and what to do when it fails. Secrets are named, never shown. Changes nothing',
    )
    .summary('does the registry of an image answer, and to which credential?')
    .argument('<image>', 'as in a pod: [host/]repository[:tag][@digest]')
    .option('-n, --namespace <namespace>', 'whose pull secrets count, by default that of the kubeconfig')
    .option(
      '--as-workload <kind/name>',
      'with the pull secrets of this workload; without it those of the ServiceAccount default of the namespace',
    )
    .option('--no-cluster', 'without any cluster: anonymously, and with what the configuration says')
    .option('--config-path <path>', 'configuration file of the operator, by default HEADWIND_CONFIG_PATH or CONFIG_FILE')
    .option('--kubeconfig <path>', 'by default KUBECONFIG, else ~/.kube/config')
    .option('--registry-insecure-hosts <hosts>', 'registries that speak plain HTTP, by default HEADWIND_REGISTRY_INSECURE_HOSTS')
    .addOption(new Option('-o, --output <format>', 'how to print the report').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      '\nExit codes: 0 all answered; 1 something failed; 2 usage; 3 the cluster cannot be reached; 4 not allowed there.\n',
    )
    .action(async (image: string, flags: Flags) => io.end(await runCheck(image, flags, options, io)));
  return withIo(command, io);
}

async function runCheck(image: string, flags: Flags, options: RegistryCommandOptions, io: CommandIo): Promise<ExitCode> {
  const complain = (message: string): void => io.complain(`headwind registry check: ${message.split('\n').map(printable).join('\n  ')}\n`);
  const question = readQuestion(image, flags);
  if ('mistake' in question) {
    complain(question.mistake);
    return 2;
  }
  const answer = await options.check(question);
  if ('failed' in answer) {
    complain(answer.message);
    return failedCodes[answer.failed];
  }
  const { check } = answer;
  io.print(flags.output === 'json' ? `${JSON.stringify(check, null, 2)}\n` : formatRegistryCheck(check));
  return check.ok ? 0 : 1;
}

function readQuestion(image: string, flags: Flags): RegistryCheckQuestion | { readonly mistake: string } {
  const { namespace, asWorkload, cluster, configPath, kubeconfig, registryInsecureHosts } = flags;
  if (!cluster && (namespace !== undefined || asWorkload !== undefined || kubeconfig !== undefined)) {
    return { mistake: '-n, --as-workload and --kubeconfig are about a cluster; with --no-cluster there is none' };
  }
  // People copy addresses from browsers and charts.
  const reference = parseImageReference(image.trim().replace(/^(https?|docker|oci):\/\//, ''));
  if ('invalid' in reference) return { mistake: reference.invalid };
  const workload = asWorkload === undefined ? undefined : readTarget(asWorkload);
  if (workload && 'mistake' in workload) return workload;
  return {
    reference,
    // The runtime pulls the digest and ignores the tag.
    wanted: reference.digest ?? effectiveTag(reference) ?? 'latest',
    noCluster: !cluster,
    namespace,
    workload,
    flags: { kubeconfig, 'config-path': configPath, 'registry-insecure-hosts': registryInsecureHosts },
  };
}

function readTarget(text: string): { kind: WorkloadKind; name: string } | { mistake: string } {
  const [word = '', name = '', ...more] = text.split('/');
  const kind = readWorkloadKind(word);
  if (kind === undefined || !/^[a-z0-9][a-z0-9.-]{0,252}$/.test(name) || more.length > 0) {
    return { mistake: `--as-workload: write <kind>/<name> with a kind of ${workloadKindNames.join(', ')}, not "${text.slice(0, 100)}"` };
  }
  return { kind, name };
}
