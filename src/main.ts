import { Command } from 'commander';
import { type Flags, runCommand } from './cli/run.ts';
import { readConfig } from './config.ts';

declare const HEADWIND_VERSION: string | undefined;
const version = typeof HEADWIND_VERSION === 'string' ? HEADWIND_VERSION : '0.0.0-dev';

/** `headwind`: without a subcommand it prints help and ends with 2. Commands load what they need, so that the small ones start at once. */
async function main(): Promise<void> {
  const program = new Command('headwind')
    .description('Keeps Kubernetes workloads up to date with their registries')
    .version(version, '-V, --version')
    .showHelpAfterError('(headwind --help lists the commands, headwind run --help the settings)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  for (const command of await commands()) program.addCommand(command);
  for (const command of program.commands) {
    for (const each of [command, ...command.commands]) each.copyInheritedSettings(program).showHelpAfterError(hintOf(each));
  }
  await program.parseAsync(process.argv);
}

/** `(headwind registry check --help lists the flags)`. */
function hintOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  return `(${names.join(' ')} --help lists ${command.commands.length > 0 ? 'the commands' : 'the flags'})`;
}

async function commands(): Promise<Command[]> {
  const { simulateCommand } = await import('./cli/simulate.ts');
  const { explainCommand } = await import('./cli/explain.ts');
  const { HEADWIND_API_URL: apiUrl, HEADWIND_API_TOKEN: apiToken } = process.env;
  const contextNamespace = async (): Promise<string> => (await import('./compose/context-namespace.ts')).contextNamespace(process.env);
  const { planCommand } = await import('./cli/plan.ts');
  const { validateCommand } = await import('./cli/validate.ts');
  const { managedWorkload, readManifestWorkload } = await import('./compose/manifest-workload.ts');
  const { readUnseenManifest } = await import('./compose/unseen-manifest.ts');
  const readUnread = ({ object }: { readonly object: unknown }) => readUnseenManifest(object, 'default');
  const plan = planCommand({
    plan: async (question) => (await import('./compose/plan-workloads.ts')).planWorkloads(question, { environment: process.env, version }),
    readWorkload: ({ object }, namespace) => managedWorkload(object, namespace),
    readUnread,
  });
  const validate = validateCommand({
    readWorkload: ({ object }) => readManifestWorkload(object, 'default'),
    readUnread,
  });
  const { registryCommand } = await import('./cli/registry-check.ts');
  const registry = registryCommand({
    check: async (question) =>
      (await import('./compose/check-registry.ts')).checkRegistryOnce(question, { environment: process.env, version }),
  });
  return [runCommand(run), simulateCommand(), explainCommand({ apiUrl, apiToken, contextNamespace }), plan, validate, registry];
}

async function run(flags: Flags): Promise<void> {
  const { stopping, abort } = listenToSignals();
  const { openSettings } = await import('./compose/open-settings.ts');
  const opened = await openSettings(readConfig(process.env, flags), process.env);
  if ('mistakes' in opened) {
    process.stderr.write(
      `headwind cannot start; correct ${opened.mistakes.length === 1 ? 'this' : 'these'}:\n${opened.mistakes.map((mistake) => `  ${mistake}\n`).join('')}`,
    );
    process.exit(1);
  }
  const { runOperator } = await import('./compose/run-operator.ts');
  try {
    await runOperator({ opened, version, environment: process.env, stopping });
  } catch (error) {
    process.stderr.write(`headwind ends: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  } finally {
    abort();
  }
  process.exit(0);
}

/** The first SIGTERM or SIGINT stops the work in order, a second one ends the process at once. Installed first: as PID 1, Node ignores them otherwise. */
function listenToSignals(): { stopping: AbortSignal; abort: () => void } {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { stopping: stop.signal, abort: () => stop.abort() };
}

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => {
    const stack = error instanceof Error ? error.stack : String(error);
    process.stdout.write(
      `${JSON.stringify({ level: 'error', timestamp: new Date().toISOString(), target: 'headwind', message: event, stack })}\n`,
    );
    process.exit(1);
  });
}

void main();
