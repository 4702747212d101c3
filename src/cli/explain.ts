import { Command, Option } from 'commander';
import { readWorkloadKind } from '../core/workload-kind.ts';
import { workloadKindNames } from '../core/workload.ts';
import type { Explanation } from '../operator/explanation.ts';
import { type AskApi, askApi, Unreachable } from './ask-api.ts';
import { type CommandIo, type ExitCode, processIo, withIo } from './command-io.ts';
import { formatExplanation } from './explain-output.ts';
import { printable } from './text-table.ts';

export interface ExplainCommandOptions {
  /** `HEADWIND_API_URL` */
  readonly apiUrl: string | undefined;
  /** `HEADWIND_API_TOKEN`: who asks, where the API wants to know. */
  readonly apiToken?: string | undefined;
  /** The namespace of the kubeconfig's context. */
  readonly contextNamespace: () => Promise<string>;
  readonly io?: CommandIo;
  readonly ask?: AskApi;
}

interface Flags {
  readonly namespace?: string;
  readonly container?: string;
  readonly apiUrl?: string;
  readonly output: 'text' | 'json';
}

const defaultUrl = 'http://127.0.0.1:8081';

/** `headwind explain deploy/web`: asks the running operator why a workload is, or is not, updated. */
export function explainCommand(options: ExplainCommandOptions): Command {
  const { io = processIo } = options;
  const command = new Command('explain')
    .description('Ask the running operator why a workload is, or is not, updated, and what happens next')
    .summary('why is, or is not, a workload updated?')
    .argument('<workload>', '<kind>/<name>, the kind as kubectl takes it; a name alone is a Deployment')
    .option('-n, --namespace <namespace>', 'by default that of the kubeconfig')
    .option('-c, --container <container>', 'only this container')
    .option('--api-url <url>', `address of the API, by default HEADWIND_API_URL or ${defaultUrl}`)
    .addOption(new Option('-o, --output <format>', 'how to print the answer').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      '\nHEADWIND_API_TOKEN, when set, is sent as a bearer token.\nExit codes: 0 explained; 1 no such workload, or refused; 2 usage; 3 the API cannot be reached; 4 not allowed.\n',
    )
    .action(async (workload: string, flags: Flags) => io.end(await explain(workload, flags, options, io)));
  return withIo(command, io);
}

async function explain(workload: string, flags: Flags, options: ExplainCommandOptions, io: CommandIo): Promise<ExitCode> {
  const complain = (message: string): void => io.complain(`headwind explain: ${printable(message)}\n`);
  const target = readTarget(workload);
  if ('mistake' in target) {
    complain(target.mistake);
    return 2;
  }
  const base = flags.apiUrl ?? (options.apiUrl || defaultUrl);
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) {
    complain(`the address of the API must begin with http:// or https://, not "${base.slice(0, 200)}"`);
    return 2;
  }
  const token = options.apiToken?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    complain('HEADWIND_API_TOKEN is no token: it has blanks or other characters that cannot be sent');
    return 2;
  }
  const namespace = flags.namespace ?? (await options.contextNamespace());
  const path = [namespace, target.kind, target.name].map(encodeURIComponent).join('/');
  const url = new URL(`${base.replace(/\/+$/, '')}/api/v1/explain/${path}`);
  try {
    const { status, text } = await (options.ask ?? askApi)(url, token);
    return showReply(status, text, flags, io, complain);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    complain(`the API of Headwind does not answer at ${base}: ${error.message}`);
    io.complain(
      'reach it with: kubectl port-forward -n headwind-system deploy/headwind 8081\nor name it with --api-url or HEADWIND_API_URL\n',
    );
    return 3;
  }
}

function showReply(
  status: number,
  text: string,
  { container, output }: Flags,
  io: CommandIo,
  complain: (message: string) => void,
): ExitCode {
  const body = parse(text);
  if (status !== 200) {
    complain(typeof body?.['error'] === 'string' ? body['error'] : `the API answers ${status}`);
    return status === 401 || status === 403 ? 4 : 1;
  }
  if (!isExplanation(body)) {
    complain('what answers at this address is not the API of Headwind');
    return 1;
  }
  const containers = body.containers.filter((each) => container === undefined || each.container === container);
  if (containers.length === 0 && container !== undefined) {
    complain(`there is no container ${container}; there are ${body.containers.map((each) => each.container).join(', ')}`);
    return 1;
  }
  const explanation = { ...body, containers };
  io.print(output === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : formatExplanation(explanation));
  return 0;
}

function readTarget(text: string): { kind: string; name: string } | { mistake: string } {
  const [first = '', second, ...more] = text.split('/');
  const [word, name] = second === undefined ? ['deployment', first] : [first, second];
  const kind = readWorkloadKind(word);
  if (kind === undefined) return { mistake: `"${word.slice(0, 50)}" is no kind of workload; use ${workloadKindNames.join(', ')}` };
  if (name === '' || more.length > 0) return { mistake: `write <kind>/<name>, not "${text.slice(0, 100)}"` };
  return { kind, name };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The operator is the authority on the rest of its answers. */
function isExplanation(body: unknown): body is Explanation {
  if (typeof body !== 'object' || body === null) return false;
  return ['containers', 'problems', 'requests', 'next', 'settings'].every(
    (member) => member in body && Array.isArray(Reflect.get(body, member)),
  );
}
