import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

// Who may import whom, by first folder (or file) under src. Only main.ts and compose/ are free, and nobody else imports those.
const adapter = ['core', 'ports.ts', 'errors.ts', 'outbound'];
const mayImport: Record<string, readonly string[]> = {
  core: [],
  'errors.ts': [],
  config: ['core', 'errors.ts'],
  outbound: ['errors.ts'],
  'ports.ts': ['core', 'errors.ts'],
  operator: ['core', 'ports.ts', 'errors.ts'],
  http: ['operator', 'core', 'ports.ts', 'errors.ts', 'webhooks'],
  cli: ['operator', 'core', 'ports.ts', 'errors.ts', 'config', 'outbound'],
  kubernetes: adapter,
  registry: adapter,
  webhooks: adapter,
  notify: adapter,
  telemetry: adapter,
};

// Regular expressions on purpose: the compiler has no stable API.
const imports = /(?:from|import\()\s*'(\.[^']+)'/g;

/** `core/tag.ts` is in area `core`, `outbound-addresses.ts` in area `outbound`. */
function areaOf(file: string): string {
  const [first = ''] = file.split('/');
  return /^(outbound|config)/.exec(first)?.[1] ?? first;
}

const files = globSync('**/*.ts', { cwd: 'src' }).filter((file) => !file.endsWith('.test.ts'));

describe('test/self/architecture', () => {
  for (const file of files) {
    const area = areaOf(file);
    if (area === 'main.ts' || area === 'compose') continue;
    it(`${file} imports only what its area may`, () => {
      const allowed = [area, ...(mayImport[area] ?? [])];
      const source = readFileSync(join('src', file), 'utf8');
      const imported = [...source.matchAll(imports)].map(([, path]) => areaOf(join(dirname(file), path ?? '')));
      assert.deepEqual(
        imported.filter((area) => !allowed.includes(area)),
        [],
      );
    });
  }

  it('only main.ts reads the environment of the process', () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join('src', file), 'utf8')));
    assert.deepEqual(readers, ['main.ts']);
  });

  it('core is pure: no clock, no randomness, no I/O', () => {
    const impure = /\b(Date\.now|Math\.random|setTimeout|setInterval|console|process)\b|from 'node:(?!crypto')/;
    const found = files.filter((file) => file.startsWith('core/') && impure.test(readFileSync(join('src', file), 'utf8')));
    assert.deepEqual(found, []);
  });
});
