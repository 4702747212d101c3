import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommanderError } from 'commander';
import { dump, load } from 'js-yaml';
import { chartVectors } from '../../test/vectors/chart-vectors.ts';
import { pushVectors } from '../../test/vectors/push-vectors.ts';
import { type TagVector, tagVectors } from '../../test/vectors/tag-vectors.ts';
import { simulateCommand } from './simulate.ts';

interface Answer {
  readonly name: string | null;
  readonly outcome: string;
  readonly tag: string | null;
  readonly reason: string;
  readonly message: string;
  readonly considered: readonly { tag: string; verdict: string; reason: string }[];
}

const hex = 'a'.repeat(64);

describe('cli/simulate', () => {
  const vectors = [
    ...tagVectors,
    ...pushVectors.map((vector) => ({ ...vector, id: `push ${vector.id}` })),
    ...chartVectors.map(({ reason: _reason, ...vector }) => ({ ...vector, chart: true })),
  ];
  for (const format of ['JSON', 'YAML'] as const) {
    it(`answers every vector of the policies from a ${format} file`, async () => {
      const cases = vectors.map(({ id, expected: _expected, ...rest }) => ({ name: id, ...rest }));
      const text = format === 'JSON' ? JSON.stringify(cases) : dump(cases);
      const { code, stdout } = await run(['-f', 'cases', '-o', 'json'], { cases: text });
      assert.equal(code, 0);
      const answers = readAnswers(stdout);
      const found = answers.map(({ name, outcome, tag }) => [name, outcome === 'update' ? tag : outcome]);
      assert.deepEqual(
        found,
        vectors.map(({ id, expected }: TagVector) => [id, expected]),
      );
    });
  }

  it('prints one JSON array with exactly the documented members, in the order of the input', async () => {
    const { code, stdout } = await run(['-f', '-', '-o', 'json'], {
      '-': '[{"name":"web","policy":"minor","current":"1.4.2","tags":["1.5.0","2.0.0"],"event":"1.4.2"}]',
    });
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), [
      {
        name: 'web',
        outcome: 'update',
        tag: '1.5.0',
        reason: 'NewerTag',
        message: '1.5.0 is the highest minor update of 1.4.2',
        considered: [
          { tag: '1.5.0', verdict: 'eligible', reason: 'Greater' },
          { tag: '2.0.0', verdict: 'rejected', reason: 'Level' },
          { tag: '1.4.2', verdict: 'rejected', reason: 'Current' },
        ],
      },
    ]);
  });

  it('says the same in YAML', async () => {
    const input = { '-': 'policy: minor\ncurrent: 1.10\ntags: [1.9, 1.11]\n' };
    const [json, yaml] = [await run(['-f', '-', '-o', 'json'], input), await run(['-f', '-', '-o', 'yaml'], input)];
    assert.deepEqual(load(yaml.stdout), JSON.parse(json.stdout));
    assert.equal(readAnswers(json.stdout)[0]?.tag, '1.11');
  });

  it('prints a table by default', async () => {
    const { stdout } = await run(['-f', '-'], {
      '-': '- {name: web, policy: minor, current: 1.4.2, tags: [1.5.0]}\n- {policy: none, current: latest}\n',
    });
    assert.deepEqual(stdout.split('\n'), [
      'NAME   CURRENT   OUTCOME   TAG     REASON       MESSAGE',
      'web    1.4.2     update    1.5.0   NewerTag     1.5.0 is the highest minor update of 1.4.2',
      '-      latest    hold      -       PolicyNone   the policy is none',
      '',
    ]);
  });

  const flags: readonly (readonly [args: string, outcome: string, tag: string | null, reason: string])[] = [
    ['--policy minor --current 1.2.3 --tags 1.3.0,2.0.0', 'update', '1.3.0', 'NewerTag'],
    ['--policy Minor --current=1.2.3 --tags=1.3.0', 'update', '1.3.0', 'NewerTag'],
    ['--policy glob --pattern 1.* --current 1.2.3 --tags 1.3.0,2.0.0', 'update', '1.3.0', 'NewerTag'],
    ['--policy glob --current 1.2.3 --tags 1.3.0', 'hold', null, 'PatternMissing'],
    ['--policy force --current 1.2.3 --event 1.0.0', 'update', '1.0.0', 'ForcedTag'],
    ['--policy force --current 1.2.3 --event 1.0.0 --match-tag', 'hold', null, 'TagMismatch'],
    ['--policy digest --current latest --digest-changed', 'restart', 'latest', 'DigestChanged'],
    ['--policy minor --current 1.2.3 --tags 1.3.0-rc1 --allow-prerelease', 'update', '1.3.0-rc1', 'NewerTag'],
    ['--policy minor --current latest --tags 1.3.0 --adopt', 'update', '1.3.0', 'AdoptedTag'],
    ['--policy minor --current 1.2.3 --tags 1.3.0,1.4.0 --ignore 1.4.* --ignore x', 'update', '1.3.0', 'NewerTag'],
    ['--policy glob:* --current focal --tags jammy --order alphabetical', 'update', 'jammy', 'NewerTag'],
    ['--policy glob:* --current focal --tags jammy --order created', 'hold', null, 'CreatedUnknown'],
    ['--policy minor --current 1.2.3 --tags 1.3.0-alpine,1.2.9 --strict-semver', 'update', '1.2.9', 'NewerTag'],
    ['--policy patch --current 1.2.3+b.1 --tags 1.2.4_b.1 --chart', 'update', '1.2.4+b.1', 'NewerTag'],
    [`--policy major --current 1.2.3@sha256:${hex} --tags 2.0.0`, 'update', '2.0.0', 'NewerTag'],
    [`--policy major --current @sha256:${hex} --tags 2.0.0`, 'hold', null, 'NoTag'],
    ['--policy minor --current 1.2.3 --tags ,', 'hold', null, 'UpToDate'],
    ['--policy minor --current 1.2.3+b --event -bad', 'hold', null, 'TagRefused'],
  ];
  for (const [args, outcome, tag, reason] of flags) {
    it(`${args.replace(hex, '…')} is ${tag ?? outcome}`, async () => {
      const { code, stdout } = await run([...args.split(' '), '-o', 'json']);
      assert.equal(code, 0);
      const [answer, ...others] = readAnswers(stdout);
      assert.deepEqual([answer?.name, answer?.outcome, answer?.tag, answer?.reason, others], [null, outcome, tag, reason, []]);
    });
  }

  it('asks for each glob of --ignore, and lists an illegal tag as a rejected candidate', async () => {
    const { stdout } = await run('--policy minor --current 1.2.3 --tags a:b,1.3.0+x,1.9.0 --ignore 1.9.* -o json'.split(' '));
    const reasons = readAnswers(stdout)[0]?.considered.map(({ reason }) => reason);
    assert.deepEqual(reasons, ['Invalid', 'Greater', 'Ignored']);
  });

  const bad: readonly (readonly [args: string, file: string | undefined, message: RegExp])[] = [
    ['', undefined, /--policy: is missing[^]*--current: is missing/],
    ['--policy minor', undefined, /--current: is missing/],
    ['--current 1', undefined, /--policy: is missing/],
    ['--policy newest --current 1', undefined, /--policy: unknown policy "newest"/],
    ['--policy semver:foo --current 1', undefined, /--policy: .*no version/],
    ['--policy regex:( --current 1', undefined, /--policy: .*not valid/],
    ['--policy glob:[ --current 1', undefined, /--policy: .*without \]/],
    ['--policy glob --pattern [ --current 1', undefined, /--pattern: .*without \]/],
    ['--policy minor --current 1 --order newest', undefined, /--order: must be alphabetical or created/],
    ['--policy minor --current 1 --ignore [', undefined, /--ignore: .*without \]/],
    ['--policy minor --current a/b', undefined, /--current: "a\/b" is no legal tag/],
    ['--policy minor --current 1@x', undefined, /--current: "1@x" is no legal tag/],
    ['--policy minor --current 1 --output xml', undefined, /xml/],
    ['--policy minor --current 1 --nonsense', undefined, /unknown option '--nonsense'/],
    ['--policy minor --current 1 extra', undefined, /too many arguments/],
    ['--policy minor --current', undefined, /argument missing/],
    ['-f missing.yaml', undefined, /cannot read missing\.yaml: no such file/],
    ['-f cases --policy minor', '[]', /--policy: cannot be combined with -f/],
    ['-f cases --digest-changed', '[]', /--digest-changed: cannot be combined with -f/],
    ['-f cases', '{', /cases/],
    ['-f cases', '- a: [', /"cases" \(1:/],
    ['-f cases', 'policy: minor\npolicy: minor\n', /duplicated mapping key/],
    ['-f cases', 'text', /case 1: case: must be a mapping/],
    ['-f cases', '- - policy: minor', /case 1: case: must be a mapping/],
    ['-f cases', '[null]', /case 1: case: must be a mapping/],
    ['-f cases', '- {policy: minor, current: 1}\n- {name: web, policy: minor}', /case 2 \("web"\): current: is missing/],
    ['-f cases', '- {name: web, current: 1}', /case 1 \("web"\): policy: is missing/],
    ['-f cases', '- {policy: minor, current: 1, polcy: x}', /case 1: polcy: unknown field/],
    ['-f cases', '- {policy: minor, current: 1, toString: x}', /case 1: toString: unknown field/],
    ['-f cases', '- {policy: minor, current: 1, __proto__: x}', /case 1: __proto__: unknown field/],
    ['-f cases', '- {policy: newest, current: 1}', /case 1: policy: unknown policy "newest"/],
    ['-f cases', '- {policy: minor, current: 1, tags: "1,2"}', /case 1: tags: must be a list of strings/],
    ['-f cases', '- {policy: minor, current: 1, tags: [[1]]}', /case 1: tags: must be a list of strings/],
    ['-f cases', '- {policy: minor, current: 1, adopt: yes}', /case 1: adopt: must be true or false/],
    ['-f cases', '- {policy: minor, current: 1, order: size}', /case 1: order: must be/],
    ['-f cases', '- {policy: minor, current: 1, ignore: ["["]}', /case 1: ignore: .*without \]/],
    ['-f cases', '- {policy: minor, current: "a b"}', /case 1: current: "a b" is no legal tag/],
    ['-f cases', '[{"policy":"minor","current":1.10}]', /case 1: current: must be a string/],
    ['-f cases', '[{"policy":"minor","current":"1","tags":[1]}]', /case 1: tags: must be a list of strings/],
    ['-f cases', '[{"policy":"minor","current":"1","adopt":"true"}]', /case 1: adopt: must be true or false/],
    ['-f cases', '[{"policy":"minor","current":"1","event":null}]', /case 1: event: must be a string/],
    ['-f cases', '- {policy: !!int 1, current: 1}', /unknown scalar tag/],
  ];
  for (const [args, file, message] of bad) {
    it(`ends with 2 and prints nothing for ${args}${file === undefined ? '' : ` with ${file.slice(0, 60)}`}`, async () => {
      const { code, stdout, stderr } = await run(args.split(' ').filter(Boolean), file === undefined ? {} : { cases: file });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    });
  }

  const files = [
    ['', []],
    ['# nothing\n', []],
    ['[]', []],
    ['policy: none\ncurrent: 1', ['1']],
    ['---\npolicy: none\ncurrent: 1\n---\n- {policy: none, current: 2}\n- {policy: none, current: 3}\n---\n', ['1', '2', '3']],
    ['{policy: none, current: 1.10}', ['1.10']],
    ['[{"policy": "none", "current": "1.10", "name": null}]', ['1.10']],
    ['- {policy: none, current: 2024-01-01, adopt: true, chart: false}', ['2024-01-01']],
    ['- {policy: none, current: 0x10}\n- {policy: none, current: 1e3}\n- {policy: none, current: null}', ['0x10', '1e3', 'null']],
  ] as const;
  for (const [file, currents] of files) {
    it(`reads ${JSON.stringify(file.slice(0, 50))} as ${currents.length} cases, every scalar as text`, async () => {
      const { code, stdout } = await run(['-f', 'cases'], { cases: file });
      assert.equal(code, 0);
      const rows = stdout.trim().split('\n').slice(1);
      assert.deepEqual(
        rows.map((row) => row.split(/ +/)[1]),
        currents,
      );
    });
  }

  it('names every case that is wrong, up to twenty', async () => {
    const { stderr } = await run(['-f', 'cases'], { cases: '- {policy: minor}\n'.repeat(25) });
    assert.equal(stderr.trim().split('\n').length, 21);
    assert.match(stderr, /case 20: current[^]*and 5 more/);
  });

  it('warns on standard error of what is valid but rarely meant, once', async () => {
    const { code, stderr } = await run(['-f', 'cases'], { cases: '- {policy: "regex:1", current: 1}\n'.repeat(3) });
    assert.deepEqual([code, stderr.split('\n').length], [0, 2]);
    assert.match(stderr, /^warning: .*has no \^/);
  });

  it('says that a file has no cases, which is no mistake', async () => {
    for (const cases of ['', '[]', '# nothing yet\n']) {
      const { code, stdout, stderr } = await run(['-f', 'cases', '-o', 'json'], { cases });
      assert.deepEqual([code, readAnswers(stdout), stderr], [0, [], 'warning: there is no case in cases\n']);
    }
  });

  it('lets no control character of a file reach the terminal', async () => {
    const evil = await run(['-f', 'cases'], { cases: '[{"name":"\\u001b[2J","policy":"none","current":"1"}]' });
    assert.equal(evil.stdout.includes('\u001b'), false);
    const worse = await run(['-f', 'cases'], { cases: '[{"policy":"\\u001b[2J","current":"1"}]' });
    assert.equal(worse.stderr.includes('\u001b'), false);
  });

  it('shows help, with the exit codes, and ends with 0', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--digest-changed[^]*Exit codes: 0 .* 2 /);
  });

  it('evaluates 10,000 cases in two seconds, and a list of 100,000 tags', async () => {
    const cases = Array.from({ length: 10_000 }, (_, index) => ({
      policy: 'minor',
      current: '1.2.3',
      tags: [`1.3.${index}`, '2.0.0', '1.2.4'],
    }));
    const file = JSON.stringify(cases);
    let best = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && best > 2000; attempt++) {
      const start = performance.now();
      const { code, stdout } = await run(['-f', 'cases', '-o', 'json'], { cases: file });
      best = Math.min(best, performance.now() - start);
      assert.equal(code, 0);
      assert.equal(readAnswers(stdout).length, 10_000);
    }
    assert.ok(best <= 2000, `${best.toFixed(0)} ms`);
    const tags = Array.from({ length: 100_000 }, (_, index) => `1.${index}.0`);
    const { stdout } = await run(['-f', 'cases', '-o', 'json'], { cases: dump({ policy: 'minor', current: '1.2.3', tags }) });
    assert.equal(readAnswers(stdout)[0]?.tag, '1.99999.0');
  });
});

async function run(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<{ code: number | undefined; stdout: string; stderr: string }> {
  const found = { code: undefined as number | undefined, stdout: '', stderr: '' };
  const command = simulateCommand({
    read: (path) => (Object.hasOwn(files, path) ? Promise.resolve(files[path]!) : Promise.reject(new Error('no such file'))),
    print: (text) => void (found.stdout += text),
    complain: (text) => void (found.stderr += text),
    end: (code) => void (found.code = code),
  });
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return found;
}

function readAnswers(stdout: string): readonly Answer[] {
  const answers: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(answers));
  return answers;
}
