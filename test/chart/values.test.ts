import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { chartValues } from '../../build/chart/chart-values.ts';
import { mistakesIn, render } from './render.ts';
import { valueRows, without } from './value-rows.ts';

describe('test/chart/values', { concurrency: 4 }, () => {
  for (const row of valueRows) {
    it(`${row.path} = ${JSON.stringify(row.values)}`, async () => {
      const rendered = await render(row.values);
      assert.deepEqual(row.look(rendered), row.is);
      assert.ok(!isDeepStrictEqual(row.look(await render(without(row))), row.is), 'the same without the value: it does nothing');
      assert.deepEqual(await mistakesIn(rendered), []);
    });
  }

  it('every value has a test', () => {
    const tested = new Set(valueRows.map(({ path }) => path));
    assert.deepEqual(
      chartValues.map(({ path }) => path).filter((path) => !tested.has(path)),
      [],
    );
  });

  it('every value may be taken away with null', async () => {
    for (const key of ['config', 'env', 'watch', 'rbac', 'ports', 'service', 'image', 'resources', 'livenessProbe', 'podAnnotations']) {
      assert.deepEqual(await mistakesIn(await render({ [key]: null })), [], key);
    }
    for (const key of ['webserver', 'tls', 'registries', 'featureFlags', 'cronSchedule', 'logLevel']) {
      assert.deepEqual(await mistakesIn(await render({ config: { [key]: null } })), [], key);
    }
  });
});
