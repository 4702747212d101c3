import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { simulateCommand } from '../../src/cli/simulate.ts';
import { caseReader } from '../../src/cli/simulation-case.ts';
import { annotationTable } from '../../src/core/annotation-table.ts';
import { choose } from '../../src/core/choose.ts';
import { compileGlob } from '../../src/core/glob.ts';
import { compareTags } from '../../src/core/order.ts';
import { parseRange, rangeAccepts } from '../../src/core/range.ts';
import { reasonTypes } from '../../src/core/reasons.ts';
import { readSettings } from '../../src/core/settings.ts';
import { parseStrictSemver } from '../../src/core/strict-semver.ts';
import { parseTag } from '../../src/core/tag.ts';
import { policyNames } from '../../src/core/update-request-schema.ts';
import { codes, type Page, plain, readPage, rowsWith } from './markdown.ts';

const entry = readPage('docs/policies.md');
const charts = readPage('docs/policies/charts.md');
const pages = globSync(['docs/policies*.md', 'docs/policies/*.md']).toSorted().map(readPage);
const policyPages = pages.filter(({ path }) => path !== entry.path && path !== charts.path);
const sections = ['When to use it', 'Examples', 'What it never does', 'Related options', 'Reasons you may see'];

describe('test/self/policy-docs', () => {
  for (const page of pages) describe(page.path, () => checkExamples(page));
  for (const page of policyPages) describe(`${page.path} is the page of a policy`, () => checkPolicyPage(page));

  it('every policy has a page, and nothing else has one', () => {
    const names = policyPages.map(nameOf);
    assert.deepEqual(new Set(names), new Set(policyNames));
    for (const name of names) assert.ok(entry.text.includes(`](policies/${name}.md)`), `${entry.path} does not link to ${name}`);
  });

  it('what the page calls no version is none', () => {
    const list = /No version at all, so without order: (.*)\./.exec(entry.text)?.[1];
    for (const text of codes(list)) assert.equal(parseTag(text), undefined);
    assert.ok(codes(list).length > 3);
  });

  it('the words of prereleases are those of the program, in its order', () => {
    const ladder = /^(`dev [^]*?`rc cr`)/m.exec(entry.text)?.[1];
    const ranks = codes(ladder).map((words) => words.split(' ').map((word) => parseTag(`1.0-${word}1`)?.pre?.rank));
    assert.deepEqual(
      ranks.map((row) => new Set(row)),
      ranks.map((_, rank) => new Set([rank])),
    );
  });

  it('the pages list exactly the reasons that the engine gives, and every word said of a considered tag', () => {
    const engine = ['choose', 'version-contest', 'pattern-contest'].map((name) => readFileSync(`src/core/${name}.ts`, 'utf8')).join('\n');
    const given = new Set([...engine.matchAll(/'([A-Z]\w+)'/g)].map(([, word = '']) => word).filter((word) => word in reasonTypes));
    assert.deepEqual(new Set(pages.flatMap((page) => [...reasonsOf(page)])), given);
    const union = readFileSync('src/core/candidate.ts', 'utf8').split('export interface Considered')[0] ?? '';
    const words = new Set([...union.matchAll(/'([A-Z]\w+)'/g)].map(([, word = '']) => word));
    assert.deepEqual(new Set(rowsWith(entry, 'Considered', 'Meaning').map((row) => plain(row['Considered']))), words);
  });
});

/** Tables and console blocks are what the program answers; what is named exists. */
function checkExamples(page: Page): void {
  checkConsole(page);
  checkDecisions(page);
  checkTags(page);
  checkPatterns(page);

  it('names only annotations and flags that exist', () => {
    const annotations = [...page.text.matchAll(/headwind\.sh\/([\w-]+)/g)].map(([, key = '']) => key);
    assert.deepEqual(
      annotations.filter((key) => !(key in annotationTable)),
      [],
    );
    const known = simulateCommand().options.map(({ long }) => long);
    for (const [flag] of page.text.matchAll(/(?<![\w-])--[a-z][\w-]*/g)) assert.ok(known.includes(flag), flag);
  });

  it('shows annotations that are read as they are meant', () => {
    for (const { text } of page.blocks.filter(({ text }) => text.startsWith('metadata:'))) {
      assert.deepEqual(settingsOf(text).problems, []);
    }
  });
}

function checkConsole(page: Page): void {
  const consoles = page.blocks.filter(({ language }) => language === 'console');
  for (const { text } of consoles) {
    const [command = '', ...expected] = text.split('\n');
    it(`prints what the page shows: ${command}`, async () => {
      assert.match(command, /^\$ headwind simulate /);
      const { code, stdout } = await simulate(readWords(command).slice(3), page);
      assert.equal(code, 0);
      assert.deepEqual(stdout.split('\n'), expected);
    });
  }
  it('has a console example', () => assert.ok(consoles.length > 0));
}

function checkDecisions(page: Page): void {
  const rows = rowsWith(page, 'Policy', 'Running', 'Chosen');
  for (const row of rows) {
    const [policy = '', current = '', chosen = ''] = [row['Policy'], row['Running'], row['Chosen']].map(plain);
    it(`${policy} ${plain(row['Options'])} from ${current} among ${row['Tags'] ?? row['Pushed']} is ${chosen}`, async () => {
      const options = plain(row['Options']).split(' ').filter(Boolean);
      const field = row['Tags'] === undefined ? ['--event', plain(row['Pushed'])] : ['--tags', codes(row['Tags']).join(',')];
      const { stdout } = await simulate(['--policy', policy, '--current', current, ...field, ...options, '-o', 'json'], page);
      const [answer]: { outcome: string; tag: string | null }[] = JSON.parse(stdout);
      assert.equal(answer?.outcome === 'restart' ? 'restart' : (answer?.tag ?? '–'), chosen);
    });
  }
  it('has a table of examples', () => assert.ok(rows.length > 2));
}

function checkTags(page: Page): void {
  for (const row of rowsWith(page, 'Tag', 'Same family', 'Other family')) {
    const family = (text: string): string => parseTag(text)?.family ?? assert.fail(text);
    it(`${row['Tag']} has the family that the page says`, () => {
      for (const text of codes(row['Same family'])) assert.equal(family(text), family(plain(row['Tag'])), text);
      for (const text of codes(row['Other family'])) assert.notEqual(family(text), family(plain(row['Tag'])), text);
    });
  }
  for (const row of rowsWith(page, 'Lower', 'Higher')) {
    it(`${row['Lower']} is lower than ${row['Higher']}`, () => {
      const [lower, higher] = [parseTag(plain(row['Lower'])), parseTag(plain(row['Higher']))];
      assert.ok(lower && higher && lower.family === higher.family && compareTags(lower, higher) < 0);
    });
  }
}

function checkPatterns(page: Page): void {
  for (const row of rowsWith(page, 'Range', 'Accepts', 'Refuses')) {
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
  it('every range of an explanation is one', () => {
    for (const row of rowsWith(page, 'Written', 'Means').filter((row) => /\d/.test(row['Written'] ?? ''))) {
      for (const text of codes(row['Written'])) assert.ok(!('invalid' in parseRange(text)), text);
    }
  });
  for (const row of rowsWith(page, 'Pattern', 'Matches', 'Does not match')) {
    it(`the glob ${row['Pattern']} matches what the page says`, () => {
      const glob = compileGlob(plain(row['Pattern']));
      assert.ok(!('invalid' in glob));
      for (const text of codes(row['Matches'])) assert.ok(glob.matches(text), text);
      for (const text of codes(row['Does not match'])) assert.ok(!glob.matches(text), text);
    });
  }
}

function checkPolicyPage(page: Page): void {
  it('has the sections that all of them have', () => {
    assert.deepEqual(
      page.headings.filter((heading) => sections.includes(heading)),
      sections,
    );
    assert.match(page.text, new RegExp(`^# ${nameOf(page)}\n\n\\S.*\\.\n\n\\[All policies\\]`));
  });

  it('shows how to set it', () => {
    const example = page.blocks.find(({ language }) => language === 'yaml')?.text ?? assert.fail('no YAML');
    const set = ['web', 'sidecar'].map((name) => settingsOf(example).container(name));
    const policies = set.map((settings) => ('policy' in settings ? settings.policy : assert.fail(settings.held)));
    assert.ok(policies.some(({ name }) => name === nameOf(page)));
    assert.deepEqual(
      policies.flatMap(({ warnings }) => warnings),
      [],
    );
  });

  it('lists exactly the reasons that the policy can give', () => {
    assert.deepEqual(reasonsOf(page), new Set(everyAnswer(nameOf(page))));
  });
}

// Enough of everything that each reason of each policy comes up.
const patterns: Readonly<Record<string, readonly string[]>> = {
  glob: ['glob', 'glob:1.*', 'glob:*'],
  regex: [String.raw`regex:^1\.`, String.raw`regex:^(?P<number>\d+)$`, 'regex:^(?P<version>.*)-(?P<env>prod)$', 'regex:^.*$'],
  semver: ['semver:1.x'],
};
const currents = ['', '1.2.3', '1.2.3-prod', '20240115', 'latest'];
const lists = [[], ['1.2.4'], ['2.0.0', '1.2.2', '1.3.0-alpine'], ['20240116', '7', 'main'], ['x.sig']];
const events = [undefined, '1.2.3', '1.2.4', 'main', 'x.sig'];
const extras = [{}, { adopt: true }, { digestChanged: true }, { matchTag: true }, { order: 'created' }, { order: 'alphabetical' }];

function everyAnswer(name: string): string[] {
  const reader = caseReader({ scalarsAreText: false });
  const answers = (patterns[name] ?? [name]).flatMap((policy) =>
    currents.flatMap((current) =>
      lists.flatMap((tags) =>
        events.flatMap((event) => extras.map((extra) => ({ policy, current, tags, ...(event === undefined ? {} : { event }), ...extra }))),
      ),
    ),
  );
  return answers.map((answer) => {
    const found = reader.read(answer);
    return 'input' in found ? choose(found.input).reason : assert.fail(JSON.stringify(found));
  });
}

function nameOf({ path }: Page): string {
  return basename(path, '.md');
}

function reasonsOf(page: Page): Set<string> {
  return new Set(rowsWith(page, 'Reason', 'Meaning').map((row) => plain(row['Reason'])));
}

function settingsOf(yaml: string): ReturnType<typeof readSettings> {
  const { metadata } = load(yaml) as { metadata: { annotations: Record<string, string> } };
  return readSettings(metadata.annotations, ['web', 'sidecar']);
}

/** Runs `headwind simulate`; a file is the block of the page that begins with its name as a comment. */
async function simulate(args: readonly string[], { blocks }: Page): Promise<{ code: number; stdout: string }> {
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
