import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { simulateCommand } from '../../src/cli/simulate.ts';
import { annotationTable } from '../../src/core/annotation-table.ts';
import { compileGlob } from '../../src/core/glob.ts';
import { compareTags } from '../../src/core/order.ts';
import { parseRange, rangeAccepts } from '../../src/core/range.ts';
import { reasonTypes } from '../../src/core/reasons.ts';
import { parseStrictSemver } from '../../src/core/strict-semver.ts';
import { parseTag } from '../../src/core/tag.ts';

const page = readFileSync('docs/policies.md', 'utf8');
const tables = readTables(page);
const blocks = [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));

describe('test/self/policy-docs', () => {
  for (const { text } of blocks.filter(({ language }) => language === 'console')) {
    const [command = '', ...expected] = text.split('\n');
    it(`prints what the page shows: ${command}`, async () => {
      assert.match(command, /^\$ headwind simulate /);
      const { code, stdout } = await simulate(readWords(command).slice(3));
      assert.equal(code, 0);
      assert.deepEqual(stdout.split('\n'), expected);
    });
  }

  for (const row of rowsWith('Policy', 'Running', 'Chosen')) {
    const [policy = '', current = '', chosen = ''] = [row['Policy'], row['Running'], row['Chosen']].map(plain);
    it(`${policy} ${plain(row['Options'])} from ${current} among ${row['Tags'] ?? row['Pushed']} is ${chosen}`, async () => {
      const options = plain(row['Options']).split(' ').filter(Boolean);
      const field = row['Tags'] === undefined ? ['--event', plain(row['Pushed'])] : ['--tags', codes(row['Tags']).join(',')];
      const { stdout } = await simulate(['--policy', policy, '--current', current, ...field, ...options, '-o', 'json']);
      const [answer]: { outcome: string; tag: string | null }[] = JSON.parse(stdout);
      assert.equal(answer?.outcome === 'restart' ? 'restart' : (answer?.tag ?? '–'), chosen);
    });
  }

  for (const row of rowsWith('Tag', 'Same family', 'Other family')) {
    const family = (text: string): string => parseTag(text)?.family ?? assert.fail(text);
    it(`${row['Tag']} has the family that the page says`, () => {
      for (const text of codes(row['Same family'])) assert.equal(family(text), family(plain(row['Tag'])), text);
      for (const text of codes(row['Other family'])) assert.notEqual(family(text), family(plain(row['Tag'])), text);
    });
  }

  for (const row of rowsWith('Lower', 'Higher')) {
    it(`${row['Lower']} is lower than ${row['Higher']}`, () => {
      const [lower, higher] = [parseTag(plain(row['Lower'])), parseTag(plain(row['Higher']))];
      assert.ok(lower && higher && lower.family === higher.family && compareTags(lower, higher) < 0);
    });
  }

  for (const row of rowsWith('Range', 'Accepts', 'Refuses')) {
    it(`the range ${row['Range']} accepts and refuses what the page says`, () => {
      const range = parseRange(plain(row['Range']));
      assert.ok(!('invalid' in range));
      const accepts = (text: string): boolean => {
        const tag = parseStrictSemver(text, { leadingZeros: false }) ?? assert.fail(text);
        return rangeAccepts(range, { core: tag.core, pre: tag.pre?.identifiers ?? [] }, { allowPrerelease: false });
      };
      for (const text of codes(row['Accepts'])) assert.ok(accepts(text), text);
      for (const text of codes(row['Refuses'])) assert.ok(!accepts(text), text);
    });
  }

  it('every range of the explanation is one', () => {
    for (const row of rowsWith('Written', 'Means').filter((row) => /\d/.test(row['Written'] ?? ''))) {
      for (const text of codes(row['Written'])) assert.ok(!('invalid' in parseRange(text)), text);
    }
  });

  for (const row of rowsWith('Pattern', 'Matches', 'Does not match')) {
    it(`the glob ${row['Pattern']} matches what the page says`, () => {
      const glob = compileGlob(plain(row['Pattern']));
      assert.ok(!('invalid' in glob));
      for (const text of codes(row['Matches'])) assert.ok(glob.matches(text), text);
      for (const text of codes(row['Does not match'])) assert.ok(!glob.matches(text), text);
    });
  }

  it('what the page calls no version is none', () => {
    const list = /No version at all, so without order: (.*)\./.exec(page)?.[1];
    for (const text of codes(list)) assert.equal(parseTag(text), undefined);
    assert.ok(codes(list).length > 3);
  });

  it('the words of prereleases are those of the program, in its order', () => {
    const ladder = /^(`dev [^]*?`rc cr`)/m.exec(page)?.[1];
    const ranks = codes(ladder).map((words) => words.split(' ').map((word) => parseTag(`1.0-${word}1`)?.pre?.rank));
    assert.deepEqual(
      ranks.map((row) => new Set(row)),
      ranks.map((_, rank) => new Set([rank])),
    );
  });

  it('lists exactly the reasons that the engine gives, and every word said of a considered tag', () => {
    const engine = ['choose', 'version-contest', 'pattern-contest'].map((name) => readFileSync(`src/core/${name}.ts`, 'utf8')).join('\n');
    const given = new Set([...engine.matchAll(/'([A-Z]\w+)'/g)].map(([, word = '']) => word).filter((word) => word in reasonTypes));
    assert.deepEqual(new Set(rowsWith('Reason', 'Meaning').map((row) => plain(row['Reason']))), given);
    const union = readFileSync('src/core/candidate.ts', 'utf8').split('export interface Considered')[0] ?? '';
    const words = new Set([...union.matchAll(/'([A-Z]\w+)'/g)].map(([, word = '']) => word));
    assert.deepEqual(new Set(rowsWith('Considered', 'Meaning').map((row) => plain(row['Considered']))), words);
  });

  it('names only annotations and flags that exist', () => {
    const annotations = [...page.matchAll(/headwind\.sh\/([\w-]+)/g)].map(([, key = '']) => key);
    assert.deepEqual(
      annotations.filter((key) => !(key in annotationTable)),
      [],
    );
    const known = simulateCommand().options.map(({ long }) => long);
    for (const [flag] of page.matchAll(/(?<![\w-])--[a-z][\w-]*/g)) assert.ok(known.includes(flag), flag);
  });

  it('finds the examples it is meant to check', () => {
    assert.ok(blocks.filter(({ language }) => language === 'console').length >= 4);
    assert.ok(rowsWith('Policy', 'Running', 'Chosen').length >= 40);
  });
});

/** Runs `headwind simulate`; a file is the block of the page that begins with its name as a comment. */
async function simulate(args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const found = { code: -1, stdout: '' };
  const command = simulateCommand({
    read: (path) => Promise.resolve(blocks.find(({ text }) => text.startsWith(`# ${path}\n`))?.text ?? assert.fail(`no block for ${path}`)),
    print: (text) => void (found.stdout += text),
    complain: (text) => assert.equal(text, ''),
    end: (code) => void (found.code = code),
  });
  await command.parseAsync(args, { from: 'user' });
  return found;
}

/** Words of a command line; single quotes keep spaces. */
function readWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
}

type Row = Readonly<Record<string, string>>;

function rowsWith(...columns: string[]): readonly Row[] {
  return tables.filter((table) => columns.every((column) => column in (table[0] ?? {}))).flat();
}

function readTables(text: string): readonly (readonly Row[])[] {
  const found = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return found.map((lines) => {
    const [head = [], , ...rows] = lines.trim().split('\n').map(readCells);
    return rows.map((cells) => Object.fromEntries(head.map((name, column) => [name, cells[column] ?? ''])));
  });
}

function readCells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** The texts in back quotes of a cell. */
function codes(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}
