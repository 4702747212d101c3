import type { TestContext } from 'node:test';
import { KubeClient } from '../../src/kubernetes/client.ts';
import { type FakeApiServer, startApiServer } from './api-server.ts';

/** A started fake API server and a real client of it; the test's end closes both. */
export async function startKubeApi(t: TestContext): Promise<{ api: FakeApiServer; client: KubeClient }> {
  const api = await startApiServer(t);
  const tls = {};
  const access = {
    server: api.url,
    namespace: 'default',
    source: 'test',
    proxy: undefined,
    tls: async () => tls,
    authorization: async () => undefined,
  };
  const client = new KubeClient(access, { version: 'test', backoff: { minMs: 1, maxMs: 2 } });
  t.after(() => client.close());
  return { api, client };
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly body: any;
}

/** What was asked about single objects, in order. */
export function sentTo(api: FakeApiServer): Sent[] {
  return api.requests
    .filter(({ kind }) => kind !== 'list' && kind !== 'watch')
    .map(({ method, path, query, headers, body }) => ({
      method,
      path,
      query: Object.fromEntries(query),
      contentType: headers['content-type'],
      body: body === '' ? undefined : JSON.parse(body),
    }));
}
