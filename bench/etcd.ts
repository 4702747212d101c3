import { readFileSync } from 'node:fs';
import { Agent } from 'undici';

export interface Stored {
  readonly key: string;
  readonly value: Buffer;
}

/**
 * The store behind the API server. Objects can be written here thousands a second, which no client of the API reaches; the API server
 * takes them for its own. Values are copies of what it has stored itself.
 */
export interface Etcd {
  get(key: string): Promise<Buffer>;
  /** Many in one transaction, which have one resourceVersion then: only where nobody watches. */
  putTogether(objects: readonly Stored[]): Promise<void>;
  /** One by one, each with a resourceVersion of its own, as fast as it goes. */
  putEach(count: number, object: (position: number) => Stored): Promise<void>;
  close(): Promise<void>;
}

/** etcd takes 128 writes in a transaction, and 1.5 MB. */
const perTransaction = 100;
const connections = 16;

/** The etcd among these processes. */
export function etcdOf(pids: readonly number[]): Etcd {
  const url = pids.map(clientUrlOf).find((found) => found !== undefined);
  if (url === undefined) throw new Error('there is no etcd among the processes of the control plane');
  const agent = new Agent({ connections });
  async function call(operation: string, input: object): Promise<any> {
    const options = { origin: url!, path: `/v3/kv/${operation}`, method: 'POST', body: JSON.stringify(input) } as const;
    const { statusCode, body } = await agent.request(options);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`etcd answered ${statusCode} to ${operation}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
  return {
    async get(key) {
      const { kvs = [] } = await call('range', { key: base64(key) });
      return Buffer.from(kvs[0]?.value ?? '', 'base64');
    },
    async putTogether(objects) {
      for (let start = 0; start < objects.length; start += perTransaction) {
        const success = objects.slice(start, start + perTransaction).map((object) => ({ requestPut: encoded(object) }));
        await call('txn', { success });
      }
    },
    async putEach(count, object) {
      let next = 0;
      const put = async (): Promise<void> => {
        for (let position = next++; position < count; position = next++) await call('put', encoded(object(position)));
      };
      await Promise.all(Array.from({ length: connections }, put));
    },
    close: () => agent.close(),
  };
}

/** As it was told on its command line. */
function clientUrlOf(pid: number): string | undefined {
  const prefix = '--listen-client-urls=';
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return words.find((word) => word.startsWith(prefix))?.slice(prefix.length);
}

function encoded({ key, value }: Stored): { key: string; value: string } {
  return { key: base64(key), value: value.toString('base64') };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
