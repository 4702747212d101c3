import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { runCommand } from '../../test/fakes/command-io.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import { explainWorkload } from '../operator/explain.ts';
import type { Explanation } from '../operator/explanation.ts';
import { type ApiReply, type AskApi, Unreachable } from './ask-api.ts';
import { explainCommand } from './explain.ts';

function anExplanation(): Explanation {
  const workload = aWorkload({
    annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/colour': 'blue' },
    slots: [
      { container: 'web', init: false, image: 'nginx:1.25' },
      { container: 'log', init: false, image: 'vector:latest' },
    ],
  });
  const { deps } = anOperator({ workloads: [workload] });
  return explainWorkload(workload, { ...deps, controllersEnabled: true, work: { isLeading: true, nextPollAt: () => undefined } });
}

const good: ApiReply = { status: 200, text: JSON.stringify(anExplanation()) };

async function run(args: readonly string[], reply: ApiReply | Error = good, apiUrl?: string) {
  const asked: string[] = [];
  const ask: AskApi = async (url) => {
    asked.push(url.href);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const contextNamespace = async (): Promise<string> => 'of-context';
  return { ...(await runCommand((io) => explainCommand({ apiUrl, contextNamespace, io, ask }), args)), asked };
}

const urls: readonly (readonly [args: string, apiUrl: string | undefined, url: string])[] = [
  ['deploy/web', undefined, 'http://127.0.0.1:8081/api/v1/explain/of-context/Deployment/web'],
  ['web', '', 'http://127.0.0.1:8081/api/v1/explain/of-context/Deployment/web'],
  ['sts/db -n shop', undefined, 'http://127.0.0.1:8081/api/v1/explain/shop/StatefulSet/db'],
  ['-n shop CronJobs/report', 'https://hw.example.com/base/', 'https://hw.example.com/base/api/v1/explain/shop/CronJob/report'],
  ['web --api-url=http://localhost:9', 'https://hw.example.com', 'http://localhost:9/api/v1/explain/of-context/Deployment/web'],
];

const ends: readonly (readonly [title: string, args: string, reply: ApiReply | Error, code: number, stderr: RegExp])[] = [
  ['not found', 'web', { status: 404, text: '{"error":"There is no managed Deployment"}' }, 1, /There is no managed Deployment/],
  ['not ready', 'web', { status: 503, text: '{"error":"not read yet"}' }, 1, /not read yet/],
  ['not allowed', 'web', { status: 403, text: 'no' }, 4, /the API answers 403/],
  ['another server', 'web', { status: 200, text: '<html>' }, 1, /is not the API of Headwind/],
  ['another JSON', 'web', { status: 200, text: '{"containers":[]}' }, 1, /is not the API of Headwind/],
  [
    'unreachable',
    'web',
    new Unreachable('connection refused'),
    3,
    /connection refused[^]*kubectl port-forward .* 8081[^]*HEADWIND_API_URL/,
  ],
  ['an unknown container', 'web -c nope', good, 1, /no container nope; there are web, log/],
  ['a kind that is none', 'pod/web', good, 2, /"pod" is no kind of workload/],
  ['no name', 'deploy/', good, 2, /write <kind>\/<name>/],
  ['too many parts', 'deploy/shop/web', good, 2, /write <kind>\/<name>/],
  ['a bad address', 'web --api-url localhost:8081', good, 2, /must begin with http/],
  ['an unknown flag', 'web --colour', good, 2, /unknown option/],
  ['a bad format', 'web -o xml', good, 2, /xml/],
  ['no workload', '', good, 2, /missing required argument/],
];

describe('cli/explain', () => {
  for (const [args, apiUrl, url] of urls) {
    it(`${args} asks ${url}`, async () => {
      const { code, asked } = await run(args.split(' '), good, apiUrl);
      assert.deepEqual([code, asked], [0, [url]]);
    });
  }

  for (const [title, args, reply, code, stderr] of ends) {
    it(`${title} ends with ${code}`, async () => {
      const found = await run(args.split(' ').filter(Boolean), reply);
      assert.equal(found.code, code, found.stderr);
      assert.match(found.stderr, stderr);
      assert.equal(found.stdout, '');
    });
  }

  it('prints reasons first, for people', async () => {
    const { stdout } = await run(['web', '-n', 'shop']);
    assert.deepEqual(stdout.split('\n').slice(0, 9), [
      'Deployment shop/web',
      '',
      '  web   UpToDate               nothing is known besides nginx:1.25: there was no news of its repository yet',
      '  log   CurrentTagNotVersion   latest is not a version; with adopt it may be left for one',
      '',
      'Problems',
      '  UnknownAnnotation   headwind.sh/colour is not known',
      '',
      'Container web',
    ]);
    assert.match(stdout, /policy +minor \(headwind\.sh\/policy\)\n +event-source +webhook \(default\)/);
    assert.match(stdout, /last check +none yet/);
    assert.match(stdout, /Next\n +- +web +a webhook about docker\.io\/library\/nginx is looked at when it comes/);
  });

  it('-o json prints the answer; -c only one container', async () => {
    const { stdout } = await run(['web', '-o', 'json', '-c', 'log']);
    const found = JSON.parse(stdout);
    assert.deepEqual([found.name, found.containers.length, found.containers[0].container], ['web', 1, 'log']);
  });

  it('lets no control character of a server reach the terminal', async () => {
    const explanation = anExplanation();
    const evil = { ...explanation, name: '\u001b[2J', problems: [{ reason: 'UnknownAnnotation', key: 'x', message: '\u001b]0;x\u0007' }] };
    assert.doesNotMatch((await run(['web'], { status: 200, text: JSON.stringify(evil) })).stdout.replaceAll('\n', ''), /\p{Cc}/u);
    assert.doesNotMatch((await run(['web'], { status: 404, text: '{"error":"\\u001b[2J"}' })).stderr.replaceAll('\n', ''), /\p{Cc}/u);
  });

  const tokens: readonly (readonly [title: string, token: string | undefined, sent: string | undefined])[] = [
    ['HEADWIND_API_TOKEN is sent as a bearer token', 'abc.def-1', 'Bearer abc.def-1'],
    ['a line feed behind the token does not matter', 'abc\n', 'Bearer abc'],
    ['without a token nothing is sent', undefined, undefined],
    ['an empty one is none', ' ', undefined],
  ];
  for (const [title, apiToken, sent] of tokens) {
    it(title, async (t) => {
      let authorization: string | undefined;
      const server = createServer((request, response) => {
        authorization = request.headers.authorization;
        response.end(good.text);
      });
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const options = { apiUrl, apiToken, contextNamespace: async () => 'of-context' };
      assert.equal((await runCommand((io) => explainCommand({ ...options, io }), ['web'])).code, 0);
      assert.equal(authorization, sent);
    });
  }

  it('a token that cannot be sent is a mistake, and is not shown', async () => {
    const options = { apiUrl: undefined, apiToken: 'canary 1\nx', contextNamespace: async () => 'of-context' };
    const { code, stderr } = await runCommand((io) => explainCommand({ ...options, io }), ['web']);
    assert.equal(code, 2);
    assert.match(stderr, /HEADWIND_API_TOKEN is no token/);
    assert.doesNotMatch(stderr, /canary/);
  });

  it('asks over HTTP, and says so when nobody listens', async (t) => {
    const server = createServer((request, response) =>
      response.end(request.url === '/api/v1/explain/of-context/Deployment/web' ? good.text : ''),
    );
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { apiUrl, contextNamespace: async () => 'of-context' };
    assert.equal((await runCommand((io) => explainCommand({ ...options, io }), ['web'])).code, 0);
    await new Promise((resolve) => server.close(resolve));
    assert.equal((await runCommand((io) => explainCommand({ ...options, io }), ['web'])).code, 3);
  });
});
