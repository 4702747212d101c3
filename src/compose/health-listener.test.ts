import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from '../config.ts';
import { healthListener } from './health-listener.ts';

const inCluster = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };

const table: readonly [title: string, env: Record<string, string>, port: number | undefined, answer: object][] = [
  ['the file asks for none', inCluster, undefined, {}],
  ['the port of webhooks', inCluster, 8080, {}],
  ['the port of metrics', inCluster, 9090, {}],
  ['a port of its own', inCluster, 8099, { listener: { host: undefined, port: 8099 } }],
  [
    'the usual port, where webhooks have another',
    { ...inCluster, HEADWIND_WEBHOOK_PORT: '8000' },
    8080,
    { listener: { host: undefined, port: 8080 } },
  ],
  ['any free port, where others have any too', { HEADWIND_WEBHOOK_PORT: '0' }, 0, { listener: { host: '127.0.0.1', port: 0 } }],
  ['the port of the API, which is open', { ...inCluster, HEADWIND_API_AUTH_MODE: 'none' }, 8081, {}],
  ['the port of the API on this machine', {}, 8081, {}],
];

describe('compose/health-listener', () => {
  for (const [title, env, port, answer] of table) {
    it(`${title}: ${JSON.stringify(answer)}`, () => {
      const result = readConfig(env, {});
      assert.deepEqual('config' in result && healthListener(result.config.listen, port), answer);
    });
  }

  it('warns of the port of an API that nobody outside reaches', () => {
    const result = readConfig(inCluster, {});
    assert.match(
      ('config' in result && healthListener(result.config.listen, 8081).warning) || '',
      /webserver\.port 8081 .* 127\.0\.0\.1 only/,
    );
  });
});
