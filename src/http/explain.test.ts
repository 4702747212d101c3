import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import { createApp } from './app.ts';
import { explainRoutes } from './explain.ts';

const workloads = [
  aWorkload(),
  aWorkload({ kind: 'StatefulSet', name: 'db', uid: 'uid-db', slots: [{ container: 'db', init: false, image: 'postgres:16' }] }),
  aWorkload({ kind: 'CronJob', namespace: 'batch', name: 'report', uid: 'uid-report' }),
];

async function get(path: string): Promise<{ status: number; headers: Headers; body: any }> {
  const { deps } = anOperator({ workloads });
  const explain = { ...deps, controllersEnabled: true, work: { isLeading: true, nextPollAt: () => undefined } };
  const routes = explainRoutes(explain).map((route) => ({ ...route, path: `/api/v1${route.path}` }));
  const app = createApp({ name: 'api', routes, log: deps.log, metrics: deps.metrics });
  const response = await app.request(`/api/v1${path}`);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const found: readonly (readonly [path: string, name: string])[] = [
  ['/explain/shop/Deployment/web', 'web'],
  ['/explain/shop/deploy/web', 'web'],
  ['/workloads/shop/deployments/web', 'web'],
  ['/explain/shop/sts/db', 'db'],
  ['/explain/batch/cj/report', 'report'],
];
const missing: readonly (readonly [path: string, sentence: RegExp])[] = [
  ['/explain/shop/Deployment/none', /no managed Deployment shop\/none; .*headwind\.sh\/policy/],
  ['/explain/shop/sts/web', /no managed StatefulSet shop\/web/],
  ['/explain/shop/pod/web', /"pod" is no kind of workload; use Deployment/],
];
const lists: readonly (readonly [query: string, names: string[]])[] = [
  ['', ['report', 'web', 'db']],
  ['?namespace=shop', ['web', 'db']],
  ['?kind=sts,cronjobs', ['report', 'db']],
  ['?search=POSTGRES', ['db']],
  ['?namespace=none', []],
];
const unusable = ['?kind=pod', '?limit=0', '?limit=x', '?cursor=abc', '?cursor=WzFd'];

describe('http/explain', () => {
  for (const [path, name] of found) {
    it(`${path} is explained`, async () => {
      const { status, body } = await get(path);
      assert.deepEqual([status, body.name, body.containers.length, body.leader], [200, name, 1, true]);
    });
  }

  for (const [path, sentence] of missing) {
    it(`${path} is 404 with a sentence`, async () => {
      const { status, body } = await get(path);
      assert.deepEqual([status, body.reason], [404, 'NotFound']);
      assert.match(body.error, sentence);
    });
  }

  for (const [query, names] of lists) {
    it(`/workloads${query} lists ${names.join(', ') || 'nothing'}`, async () => {
      const { status, headers, body } = await get(`/workloads${query}`);
      assert.deepEqual([status, headers.get('x-total-count')], [200, String(names.length)]);
      assert.deepEqual(
        body.map(({ name }: { name: string }) => name),
        names,
      );
    });
  }

  for (const query of unusable) {
    it(`/workloads${query} is a bad query`, async () => {
      assert.equal((await get(`/workloads${query}`)).body.reason, 'BadRequest');
    });
  }

  it('pages neither repeat nor skip', async () => {
    const names: string[] = [];
    let path: string | undefined = '/workloads?limit=2';
    while (path !== undefined) {
      const { headers, body }: Awaited<ReturnType<typeof get>> = await get(path);
      names.push(...body.map(({ name }: { name: string }) => name));
      path = /^<\/api\/v1(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(names, ['report', 'web', 'db']);
  });

  it('a line of the list says what an answer in full begins with', async () => {
    const { body } = await get('/workloads?search=postgres');
    assert.deepEqual(body, [
      {
        kind: 'StatefulSet',
        namespace: 'shop',
        name: 'db',
        containers: [
          { container: 'db', image: 'postgres:16', candidate: null, reason: 'UpToDate', message: 'there is no other tag than 16' },
        ],
      },
    ]);
  });
});
