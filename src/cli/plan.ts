import { Command, Option } from 'commander';
import type { Workload } from '../core/workload.ts';
import type { PlannedContainer } from '../operator/plan-once.ts';
import { type CommandIo, type ExitCode, processIo, withIo } from './command-io.ts';
import { type ManifestObject, readManifests } from './manifest-files.ts';
import { formatTable, printable } from './text-table.ts';

/** What to plan: of the cluster, or of manifests. */
export interface PlanQuestion {
  readonly manifests: readonly Workload[] | undefined;
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly selector: string | undefined;
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export type PlanReply =
  | { readonly rows: readonly PlannedContainer[]; readonly complaints: readonly string[] }
  | { readonly failed: 'usage' | 'unreachable' | 'forbidden' | 'refused'; readonly message: string };

export interface PlanCommandOptions {
  /** Asks cluster and registries. */
  readonly plan: (question: PlanQuestion) => Promise<PlanReply>;
  /** The managed workload that a manifest describes. */
  readonly readWorkload: (manifest: ManifestObject, namespace: string) => Workload | undefined;
  /** Why annotations of ours on an object that is no workload have no effect; undefined where it has none. */
  readonly readUnread: (manifest: ManifestObject) => { readonly kind: string; readonly name: string; readonly message: string } | undefined;
  readonly io?: CommandIo;
}

interface Flags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly file?: readonly string[];
  readonly configPath?: string;
  readonly kubeconfig?: string;
  readonly registryInsecureHosts?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

const failedCodes = { usage: 2, unreachable: 3, forbidden: 4, refused: 1 } as const;

/** `headwind plan`: what the operator would do now, without changing anything. */
export function planCommand(options: PlanCommandOptions): Command {
  const { io = processIo } = options;
  const command = new Command('plan')
    .description(
      'Show what the operator would do now with the workloads of a cluster or of manifests, and why. Changes nothing: reads and lists only',
    )
    .summary('what would be done now? changes nothing')
    .option('-n, --namespace <namespace>', 'by default that of the kubeconfig')
    .option('-A, --all-namespaces', 'all namespaces')
    .option('-l, --selector <selector>', 'only workloads with these labels')
    .option(
      '-f, --file <path>',
      'manifests instead of a cluster: files, directories, - for standard input; registries are asked anonymously',
      collect,
    )
    .option('--config-path <path>', 'configuration file of the operator, by default HEADWIND_CONFIG_PATH or CONFIG_FILE')
    .option('--kubeconfig <path>', 'by default KUBECONFIG, else ~/.kube/config')
    .option('--registry-insecure-hosts <hosts>', 'registries that speak plain HTTP, by default HEADWIND_REGISTRY_INSECURE_HOSTS')
    .addOption(new Option('-o, --output <format>', 'how to print the plan').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText(
      'after',
      '\nActions: apply at once, ask a person, wait, open (a request is there), hold, unknown (the registry could not be asked).\n' +
        'Exit codes: 0 planned; 1 something could not be asked; 2 usage; 3 the cluster cannot be reached; 4 not allowed.\n',
    )
    .action(async (flags: Flags) => io.end(await runPlan(flags, options, io)));
  return withIo(command, io);
}

function collect(path: string, all: readonly string[] | undefined): readonly string[] {
  return [...(all ?? []), path];
}

async function runPlan(flags: Flags, options: PlanCommandOptions, io: CommandIo): Promise<ExitCode> {
  const complain = (message: string): void => io.complain(`headwind plan: ${message.split('\n').map(printable).join('\n  ')}\n`);
  const question = await readQuestion(flags, options, io);
  if ('mistakes' in question) {
    for (const mistake of question.mistakes) complain(mistake);
    return 2;
  }
  const reply = await options.plan(question);
  if ('failed' in reply) {
    complain(reply.message);
    return failedCodes[reply.failed];
  }
  for (const complaint of reply.complaints) complain(complaint);
  if (reply.rows.length === 0)
    io.complain(
      'no managed workloads: no Deployment, StatefulSet, DaemonSet or CronJob with containers has the annotation headwind.sh/policy or the label kube-autorollout/enabled=true\n',
    );
  io.print(await format(reply.rows.toSorted(byName), flags.output));
  return reply.complaints.length > 0 || reply.rows.some(({ action }) => action === 'unknown') ? 1 : 0;
}

async function readQuestion(
  { file, namespace, allNamespaces = false, selector, configPath, kubeconfig, registryInsecureHosts }: Flags,
  { readWorkload, readUnread }: PlanCommandOptions,
  io: CommandIo,
): Promise<PlanQuestion | { readonly mistakes: readonly string[] }> {
  const flags = { kubeconfig, 'config-path': configPath, 'registry-insecure-hosts': registryInsecureHosts };
  const question = { namespace, allNamespaces, selector, flags };
  if (namespace !== undefined && allNamespaces) return { mistakes: ['-n and -A contradict each other'] };
  if (file === undefined) return { ...question, manifests: undefined };
  if (selector !== undefined || allNamespaces) return { mistakes: ['-l and -A choose from a cluster; with -f there is none'] };
  const read = await readManifests(file, io);
  if ('mistakes' in read) return read;
  for (const object of read.objects) {
    const unread = readUnread(object);
    if (unread) io.complain(`${printable(`${object.file}:${object.document}: ${unread.kind} ${unread.name}: ${unread.message}`)}\n`);
  }
  return { ...question, manifests: read.objects.flatMap((object) => readWorkload(object, namespace ?? 'default') ?? []) };
}

function byName(a: PlannedContainer, b: PlannedContainer): number {
  const [left, right] = [a, b].map(({ namespace, kind, name }) => `${namespace} ${kind} ${name}`);
  if (left === right) return 0;
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

async function format(rows: readonly PlannedContainer[], output: Flags['output']): Promise<string> {
  if (output === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  if (output === 'table') return rows.length === 0 ? '' : formatTable(tableOf(rows));
  const { dump } = await import('js-yaml');
  return dump(rows, { noRefs: true, lineWidth: -1 });
}

function tableOf(rows: readonly PlannedContainer[]): string[][] {
  return [
    ['NAMESPACE', 'KIND', 'NAME', 'CONTAINER', 'CURRENT', 'CANDIDATE', 'ACTION', 'REASON', 'MESSAGE'],
    ...rows.map(({ namespace, kind, name, container, current, candidate, action, reason, message, notes }) => [
      namespace,
      kind,
      name,
      container,
      current ?? '-',
      candidate ?? '-',
      action,
      reason,
      [message, ...notes].join('; '),
    ]),
  ];
}
