import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { structural } from '../../build/crd.ts';
import { generatedFiles, staleFiles } from '../../build/generated-files.ts';

describe('test/self/generated', () => {
  const stale = staleFiles(join(import.meta.dirname, '../..'));
  for (const { path } of generatedFiles()) {
    it(`${path} is what the code says`, () => {
      assert.ok(!stale.includes(path), `${path} is out of date; run: node build/generate.ts`);
    });
  }

  it('is the same text each time', () => {
    assert.deepEqual(generatedFiles(), generatedFiles());
  });

  it('a schema keyword that the API server does not know is an error that names the field', () => {
    assert.throws(
      () => structural({ type: 'object', properties: { a: { type: 'array', items: { anyOf: [] } } } }),
      /schema\.a\[\]: .*"anyOf"/,
    );
  });
});
