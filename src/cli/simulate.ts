import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { choose } from '../core/choose.ts';
import { caseReader, type SimulationCase } from './simulation-case.ts';
import { type CasesOrMistakes, readCases } from './simulation-file.ts';
import { formatResults, type OutputFormat, outputFormats } from './simulation-output.ts';
import { printable } from './text-table.ts';

/** The outside of the command, so that tests need no process. */
export interface SimulateIo {
  /** The text of a file; `-` is standard input. */
  read(path: string): Promise<string>;
  print(text: string): void;
  complain(text: string): void;
  /** The exit code: 0 when all cases were evaluated, 2 when the input is wrong. */
  end(code: 0 | 2): void;
}

const processIo: SimulateIo = {
  read: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  print: (output) => {
    // Whoever reads may stop before the end: `headwind simulate … | head`.
    process.stdout.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
    process.stdout.write(output);
  },
  complain: (message) => void process.stderr.write(message),
  end: (code) => {
    process.exitCode = code;
  },
};

/** What is said of one case by flags, by the names that a file uses. */
type CaseFlags = Readonly<Record<string, unknown>>;
type Options = CaseFlags & { readonly file?: string; readonly output: OutputFormat };

const mostMistakes = 20;

/** `headwind simulate`: asks the operator's own policy engine, without cluster, registry or configuration. */
export function simulateCommand(io: SimulateIo = processIo): Command {
  return new Command('simulate')
    .description('Show which tag a policy would choose, with the engine of the operator: no cluster, registry or configuration is needed')
    .summary('show what a policy would choose')
    .option('--policy <policy>', 'none, patch, minor, major, all, glob, force, digest, glob:<pattern>, regex:<re2> or semver:<range>')
    .option('--pattern <glob>', 'pattern of the policy glob')
    .option('--current <tag>', 'the running tag, with or without @digest')
    .option('--tags <list>', 'tags of the registry, separated by commas')
    .option('--event <tag>', 'the tag that was pushed')
    .option('--digest-changed', 'the digest behind the running tag has changed')
    .option('--allow-prerelease', 'prereleases may be chosen')
    .option('--adopt', 'a running tag that is no version may be left for one')
    .option('--ignore <glob>', 'tags that are never chosen; may be repeated', (glob: string, all: string[] | undefined) => [
      ...(all ?? []),
      glob,
    ])
    .option('--match-tag', 'force takes only pushes of the running tag')
    .option('--order <order>', 'alphabetical or created, for glob and regex')
    .option('--strict-semver', 'read tags as SemVer: three numbers, every suffix a prerelease')
    .option('--chart', 'the tags are versions of a chart')
    .option('-f, --file <path>', 'read cases from a YAML or JSON file, - for standard input')
    .addOption(new Option('-o, --output <format>', 'how to print the answers').choices(outputFormats).default('table'))
    .addHelpText(
      'after',
      '\nExit codes: 0 all cases were evaluated, whatever the answers; 2 the input is wrong, and nothing was printed.\n',
    )
    .configureOutput({ writeOut: (output) => io.print(output), writeErr: (message) => io.complain(message) })
    .exitOverride((error) => {
      io.end(error.exitCode === 0 ? 0 : 2);
      throw error;
    })
    .action(async (options: Options) => io.end(await simulate(options, io)));
}

async function simulate({ file, output, ...flags }: Options, io: SimulateIo): Promise<0 | 2> {
  const found = file === undefined ? readFlags(flags) : await readFileOf(file, Object.keys(flags), io);
  if ('mistakes' in found) {
    const shown = found.mistakes.slice(0, mostMistakes);
    const more = found.mistakes.length - shown.length;
    if (more > 0) shown.push(`and ${more} more`);
    io.complain(shown.map((mistake) => `headwind simulate: ${printable(mistake)}\n`).join(''));
    return 2;
  }
  const results = found.cases.map(({ name, input }) => ({ name, current: input.current, verdict: choose(input) }));
  if (found.cases.length === 0) io.complain(`warning: there is no case in ${printable(file === '-' ? 'standard input' : (file ?? ''))}\n`);
  io.complain(warningsOf(found.cases));
  io.print(await formatResults(results, output));
  return 0;
}

function readFlags(flags: CaseFlags): CasesOrMistakes {
  const { tags } = flags;
  const list = typeof tags === 'string' ? { tags: tags.split(',').flatMap((tag) => tag.trim() || []) } : {};
  const read = caseReader({ scalarsAreText: false }).read({ ...flags, ...list });
  if ('input' in read) return { cases: [read] };
  return { mistakes: read.map(({ field, message }) => `--${kebabCase(field)}: ${message}`) };
}

async function readFileOf(path: string, flags: readonly string[], io: SimulateIo): Promise<CasesOrMistakes> {
  if (flags.length > 0) return { mistakes: [`--${kebabCase(flags[0] ?? '')}: cannot be combined with -f, whose cases say it themselves`] };
  const name = path === '-' ? 'standard input' : path;
  let content: string;
  try {
    content = await io.read(path);
  } catch (error) {
    return { mistakes: [`cannot read ${name}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  return readCases(content, name);
}

function warningsOf(cases: readonly SimulationCase[]): string {
  const warnings = new Set(cases.flatMap(({ input }) => input.policy.warnings));
  return Array.from(warnings, (warning) => `warning: ${printable(warning)}\n`).join('');
}

function kebabCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
