import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aliasOf, sameRegistryNames } from './registry-alias.ts';

const aliases = {
  'harbor.internal': 'harbor.example.com',
  'old.internal': 'harbor.internal',
  'hub.internal:5000': 'index.docker.io',
  'a.loop': 'b.loop',
  'b.loop': 'a.loop',
};

const table = [
  // as written, known as
  ['ghcr.io', 'ghcr.io'],
  ['GHCR.io:443', 'ghcr.io'],
  ['index.docker.io', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['harbor.internal', 'harbor.example.com'],
  ['Harbor.Internal:443', 'harbor.example.com'],
  ['harbor.internal:5000', 'harbor.internal:5000'],
  ['old.internal', 'harbor.example.com'],
  ['hub.internal:5000', 'docker.io'],
  ['constructor', 'constructor'],
] as const;

describe('core/registry-alias', () => {
  for (const [written, known] of table) {
    it(`${written} is known as ${known}`, () => assert.equal(aliasOf({ aliases })(written), known));
  }

  it('ends on aliases that go round in a circle', () => assert.match(aliasOf({ aliases })('a.loop'), /^[ab]\.loop$/));

  const groups = [
    ['harbor.example.com', ['harbor.example.com', 'harbor.internal', 'old.internal']],
    ['Old.internal:443', ['harbor.example.com', 'harbor.internal', 'old.internal']],
    ['registry-1.docker.io', ['docker.io', 'hub.internal:5000']],
    ['ghcr.io', ['ghcr.io']],
  ] as const;
  for (const [registry, names] of groups) {
    it(`${registry} is one of ${names.join(', ')}`, () => assert.deepEqual(sameRegistryNames({ aliases })(registry), names));
  }
});
