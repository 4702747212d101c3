import { Command, Option } from 'commander';
import { type CommandIo, type ExitCode, processIo, withIo } from './command-io.ts';
import { type ManifestObject, readManifests } from './manifest-files.ts';
import { printable } from './text-table.ts';
import { type CheckedManifest, checkManifest, checkUnread, type Finding, type UnreadManifest } from './validate-manifest.ts';

export interface ValidateCommandOptions {
  /** The workload that a manifest describes; undefined for everything else. */
  readonly readWorkload: (manifest: ManifestObject) => CheckedManifest | undefined;
  /** What has annotations of ours and is no workload that can be read. */
  readonly readUnread: (manifest: ManifestObject) => UnreadManifest | undefined;
  readonly io?: CommandIo;
}

interface Flags {
  readonly file: readonly string[];
  readonly output: 'text' | 'json';
}

/** `headwind validate`: what is wrong with annotations and images, before an API server sees them. */
export function validateCommand({ io = processIo, ...read }: ValidateCommandOptions): Command {
  const command = new Command('validate')
    .description('Check annotations and images of manifests, as the operator reads them: no cluster and no registry is needed')
    .summary('check the annotations of manifests')
    .requiredOption('-f, --file <path>', 'files, directories, - for standard input; may be repeated', collect)
    .addOption(new Option('-o, --output <format>', 'how to print the findings').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nExit codes: 0 nothing wrong (warnings may be printed); 1 problems; 2 usage, or a file that cannot be read.\n')
    .action(async (flags: Flags) => io.end(await validate(flags, read, io)));
  return withIo(command, io);
}

function collect(path: string, all: readonly string[] | undefined): readonly string[] {
  return [...(all ?? []), path];
}

async function validate(
  { file, output }: Flags,
  { readWorkload, readUnread }: Omit<ValidateCommandOptions, 'io'>,
  io: CommandIo,
): Promise<ExitCode> {
  const read = await readManifests(file, io);
  if ('mistakes' in read) {
    for (const mistake of read.mistakes) io.complain(`headwind validate: ${mistake.split('\n').map(printable).join('\n  ')}\n`);
    return 2;
  }
  let workloads = 0;
  const findings: Finding[] = [];
  for (const object of read.objects) {
    const manifest = readWorkload(object);
    const unread = manifest ? undefined : readUnread(object);
    workloads += manifest?.isMeant ? 1 : 0;
    const found = manifest ? checkManifest(manifest) : unread ? checkUnread(unread) : [];
    findings.push(...found.map((finding) => ({ file: object.file, document: object.document, ...finding })));
  }
  const problems = findings.filter(({ severity }) => severity === 'problem').length;
  if (output === 'json') io.print(`${JSON.stringify({ workloads, findings }, null, 2)}\n`);
  else {
    io.print(findings.map(formatFinding).join(''));
    io.complain(`${workloads} annotated workloads, ${problems} problems, ${findings.length - problems} warnings\n`);
  }
  return problems > 0 ? 1 : 0;
}

function formatFinding({ file, document, kind, namespace, name, severity, reason, message }: Finding): string {
  return `${printable(`${file}:${document}: ${kind} ${namespace}/${name}: ${severity}: ${reason}: ${message}`)}\n`;
}
