import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readYaml, type YamlNode } from './yaml-tree.ts';

/** `{key@line: value@line}`; a null is `~`. */
function show(node: YamlNode | undefined): string {
  if (node === undefined) return '';
  if (node.kind === 'scalar') return `${node.isNull ? '~' : JSON.stringify(node.text)}@${node.line}`;
  if (node.kind === 'list') return `[${node.items.map((item) => show(item)).join(', ')}]`;
  return `{${node.entries.map(({ key, line, value }) => `${key}@${line}: ${show(value)}`).join(', ')}}`;
}

const variables = {
  TOKEN: 'a"b: c #d\n- e',
  PORT: '8080',
  EMPTY: '',
  KEY: 'cronSchedule',
  AGAIN: '${PORT}',
  'A:-b': 'odd',
  PATH_LIST: '[1, 2]',
  LINE: '8080\n',
};

const read: readonly [title: string, text: string, tree: string][] = [
  ['lines of keys and values', 'a: 1\nb:\n  - x\n  - y: z\n', '{a@1: "1"@1, b@2: ["x"@3, {y@4: "z"@4}]}'],
  ['nothing', '', ''],
  ['a comment alone', '# ${UNSET}\n', ''],
  ['null in its forms', 'a:\nb: ~\nc: null\nd: "null"\ne: ""', '{a@1: ~@1, b@2: ~@2, c@3: ~@3, d@4: "null"@4, e@5: ""@5}'],
  ['numbers as they are written', 'a: 010\nb: 1.10\nc: 0x1f', '{a@1: "010"@1, b@2: "1.10"@2, c@3: "0x1f"@3}'],
  ['texts of several lines', 'a: >-\n  one\n  two\nb: |\n  x\n', '{a@1: "one two"@2, b@4: "x\\n"@5}'],
  ['an alias', 'a: &x [1]\nb: *x', '{a@1: ["1"@1], b@2: ["1"@1]}'],
  ['a substitution without quotes', 'port: ${PORT}', '{port@1: "8080"@1}'],
  ['the flow form', '{token: ${TOKEN}, port: ${PORT}}', '{token@1: "a\\"b: c #d\\n- e"@1, port@1: "8080"@1}'],
  [
    'a value never changes the structure',
    'a: ${TOKEN}\nb: "${TOKEN}"\nc: [${PATH_LIST}]',
    `{a@1: ${JSON.stringify(variables.TOKEN)}@1, b@2: ${JSON.stringify(variables.TOKEN)}@2, c@3: ["[1, 2]"@3]}`,
  ],
  ['a value never changes lines below it', 'a: ${TOKEN}\nb: 1', `{a@1: ${JSON.stringify(variables.TOKEN)}@1, b@2: "1"@2}`],
  ['parts of a text', 'a: x-${PORT}-${PORT}', '{a@1: "x-8080-8080"@1}'],
  ['a key', '"${KEY}": 1\n${KEY}x: 2', '{cronSchedule@1: "1"@1, cronSchedulex@2: "2"@2}'],
  ['an empty variable is a text', 'a: ${EMPTY}', '{a@1: ""@1}'],
  ['the line break at the end of a file or Secret, as YAML does', 'a: ${LINE}\nb: {c: ${LINE}}', '{a@1: "8080"@1, b@2: {c@2: "8080"@2}}'],
  ['the same in quotes, as it is', 'a: "${LINE}"', '{a@1: "8080\\n"@1}'],
  ['one pass: what a variable holds is not looked at again', 'a: ${AGAIN}', '{a@1: "${PORT}"@1}'],
  ['the name is verbatim', 'a: ${A:-b}', '{a@1: "odd"@1}'],
  ['${} stays', 'a: ${}', '{a@1: "${}"@1}'],
  ['$PORT stays', 'a: $PORT', '{a@1: "$PORT"@1}'],
  ['no escape: two dollars are one more', 'a: $${PORT}', '{a@1: "$8080"@1}'],
  ['block texts', 'a: |\n  ${PORT}\n  # ${PORT}\n', '{a@1: "8080\\n# 8080\\n"@2}'],
  ['comments are not looked at', 'a: 1 # ${UNSET}\n# ${UNSET}\n', '{a@1: "1"@1}'],
  ['names of prototypes are names', '__proto__: {a: 1}', '{__proto__@1: {a@1: "1"@1}}'],
];

const refused: readonly [title: string, text: string, mistakes: readonly RegExp[]][] = [
  ['a missing variable', 'a: 1\nb: ${UNSET}', [/^2: \$\{UNSET\} is used, but the environment variable UNSET is not set; set it/]],
  ['a default', 'a: ${PORT:-80}', [/^1: .*PORT:-80 is not set.* no form with a default/]],
  ['a variable of the prototype', 'a: ${constructor}', [/^1: .*constructor is not set/]],
  ['all missing variables', 'a: ${X}\nb: [${Y}, ${Z}]', [/^1: .*X/, /^2: .*Y/, /^2: .*Z/]],
  ['no YAML', 'a: [1\nb: 2', [/no YAML/]],
  ['a key twice', 'a: 1\nb: 2\na: 3', [/^3: "a" stands in line 1 already/]],
  ['two documents', 'a: 1\n---\nb: 2', [/more than one document/]],
  ['a list as key', '? [a]\n: 1', [/a key must be a text/]],
  ['an unknown anchor', 'a: *x', [/^1: there is no anchor &x above this line; for the text "\*x" write it in quotes$/]],
  [
    'a schedule without quotes',
    'x: 1\ncronSchedule: */45 * * * * *',
    [/^2: this is no YAML: .*; a text that begins with \* must be in quotes$/],
  ],
  ['a nickname without quotes', 'cronSchedule: @daily', [/^1: .*; a text that begins with @ must be in quotes$/]],
  ['a star in a list', '- *\n- a', [/^1: .*; a text that begins with \* must be in quotes$/]],
  ['a star in a flow map', '{a: b, hostnamePattern: *, c: d}', [/^1: .*; a text that begins with \* must be in quotes$/]],
  ['a loop', 'a: &a [*a]', [/no anchor &a/]],
  [
    'aliases of aliases without end',
    `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 20 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(',')}]`).join('\n')}`,
    [/more than 20000 values/],
  ],
  ['more than a megabyte', `a: ${'x'.repeat(1_100_000)}`, [/longer than 1 MiB/]],
];

describe('config/yaml-tree', () => {
  for (const [title, text, tree] of read) {
    it(`reads ${title}`, async () => {
      const document = await readYaml(text, variables);
      assert.deepEqual(document.mistakes, []);
      assert.equal(show(document.root), tree);
    });
  }

  for (const [title, text, expected] of refused) {
    it(`refuses ${title}`, async () => {
      const document = await readYaml(text, variables);
      const mistakes = document.mistakes.map(({ line, message }) => `${line ?? ''}: ${message}`);
      assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
      for (const [index, mistake] of mistakes.entries()) assert.match(mistake, expected[index] ?? /^$/);
    });
  }

  it('a message never repeats what a variable holds', async () => {
    const document = await readYaml('"${PORT}": 1\n"${PORT}": 2', variables);
    assert.deepEqual(document.mistakes, [{ line: 2, message: '"${PORT}" stands in line 1 already; write it once' }]);
  });

  it('where variables may not be used, each placeholder is a mistake', async () => {
    const document = await readYaml('a: ${PORT}', undefined);
    assert.match(document.mistakes[0]?.message ?? '', /may be used in the file only, not in a ConfigMap/);
  });
});
