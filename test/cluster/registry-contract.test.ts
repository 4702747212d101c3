import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { PullSecret } from '../../src/ports.ts';
import { describeRegistry } from '../contracts/registry.ts';
import { aLogin } from '../fakes/registry-setup.ts';
import { findDockerRegistry } from './docker-registry.ts';
import { type Registry, startRegistry } from './registry.ts';
import { clientFor, entrances, identitySecret, secretsFor, startPair } from './registry-suite.ts';
import { makeTestImage } from './test-image.ts';
import { until } from './until.ts';

const { signal } = new AbortController();
const older = await findDockerRegistry({ log: (line) => console.error(`[test bed] ${line}`) });
const skipOlder = 'missing' in older ? older.missing : false;
const releases = [
  { release: 3, name: 'distribution 3', skip: false },
  { release: 2, name: 'docker-registry 2.8', skip: skipOlder },
] as const;
let repositories = 0;

/** The client of this test and a repository of its own at a server that several tests share. */
function visit(t: TestContext, server: Registry) {
  const { client, clock } = clientFor(t, server);
  const name = `acme/app-${++repositories}`;
  const repository = { registry: server.host, repository: name };
  const login = (secrets: readonly PullSecret[]) => client.credentials(repository, secrets);
  const own = secretsFor(server);
  return {
    client,
    clock,
    name,
    repository,
    resolve: (reference: string, secrets = own) => client.resolve(repository, reference, login(secrets), signal),
    contents: (digest: string) => client.contents(repository, digest, login(own), signal),
    tags: (secrets = own) => client.tags(repository, login(secrets), signal),
    statuses: (method: string) =>
      server.requests({ userAgent: /^headwind\//, method, path: new RegExp(`^/v2/${name}/`) }).map(({ status }) => status),
  };
}

for (const { release, name, skip } of releases) {
  describe(`test/cluster/registry-contract: ${name}`, { skip, concurrency: 3 }, () => {
    describeRegistry(`the client against ${name}`, async (t) => {
      const { server, client } = await startPair(t, { release });
      let pushes = 0;
      return { registry: client, host: server.host, push: (repository, tag) => server.push(repository, tag, { salt: String(++pushes) }) };
    });

    for (const [entrance, options] of Object.entries(entrances)) {
      describe(`${name}, ${entrance}`, { concurrency: 4 }, () => {
        let server: Registry;
        before(async () => {
          server = await startRegistry({ ...options, release, pageSize: 4 });
        });
        after(() => server.stop());

        it('gives digests of tags, by HEAD alone', async (t) => {
          const { name: repository, resolve, statuses } = visit(t, server);
          const digest = await server.push(repository, '1.0.0');
          assert.deepEqual(await resolve('1.0.0'), { digest });
          assert.deepEqual(await resolve(digest), { digest });
          await assert.rejects(resolve('2.0.0'), { code: 'NotFound' });
          await until('the look that found nothing is in the log', () => statuses('HEAD').includes(404));
          assert.deepEqual(statuses('GET'), []);
        });

        it('is answered 304 when nothing is new', async (t) => {
          const { name: repository, resolve, statuses } = visit(t, server);
          const digest = await server.push(repository, 'latest');
          for (let look = 0; look < 3; look++) assert.deepEqual(await resolve('latest'), { digest });
          const moved = await server.push(repository, 'latest', { salt: 'rebuilt' });
          assert.deepEqual(await resolve('latest'), { digest: moved });
          const seen = await until('four looks are in the log', () => {
            const answered = statuses('HEAD').filter((status) => status !== 401);
            return answered.length >= 4 && answered;
          });
          assert.deepEqual([seen, statuses('GET')], [[200, 304, 304, 200], []]);
        });

        it('tells what a digest stands for', async (t) => {
          const { name: repository, contents } = visit(t, server);
          const image = makeTestImage(repository, '1.0.0');
          await server.push(repository, '1.0.0');
          const index = await contents(image.digest);
          assert.deepEqual([index.digest, index.kind], [image.digest, 'index']);
          assert.deepEqual(
            index.images.map(({ digest, os, architecture }) => [digest, os, architecture]),
            [
              [image.manifests['linux/amd64']?.digest, 'linux', 'amd64'],
              [image.manifests['linux/arm64']?.digest, 'linux', 'arm64'],
            ],
          );
          const one = await contents(image.manifests['linux/arm64']?.digest ?? '');
          assert.deepEqual([one.kind, one.config], ['image', image.configs[1]?.digest]);
        });

        it('lists all tags, page by page', async (t) => {
          const { name: repository, tags, statuses } = visit(t, server);
          const names = Array.from({ length: 10 }, (_, index) => `1.0.${index}`);
          const image = makeTestImage(repository, '1.0.0', { platforms: ['linux/amd64'], index: false });
          for (const tag of names) await server.pushImage(repository, tag, image);
          const list = await tags();
          assert.deepEqual([[...list.tags].sort(), list.truncated], [names, false]);
          const pages = release === 3 ? 3 : 1;
          await until(`${pages} pages are in the log`, () => statuses('GET').filter((status) => status === 200).length === pages);
        });
      });
    }

    it('is refused with a wrong password, and says so once', async (t) => {
      for (const entrance of ['TLS and a password', 'TLS and tokens'] as const) {
        const { server } = await startPair(t, { ...entrances[entrance], release });
        const { name: repository, resolve, statuses } = visit(t, server);
        const digest = await server.push(repository, '1.0.0');
        const wrong = aLogin(server.host, 'robot', 'canary-wrong', 'old');
        await assert.rejects(resolve('1.0.0', [wrong]), (error) => {
          assert.match(String(error), /accepted no credential; tried Secret team\/old .*anonymous/);
          assert.doesNotMatch(JSON.stringify(error) + String(error), /canary/);
          return true;
        });
        const refused = statuses('HEAD').length;
        await assert.rejects(resolve('1.0.0', [wrong]), { code: 'Unauthorized' });
        assert.ok(statuses('HEAD').length <= refused + 2, 'the wrong login rests');
        assert.deepEqual(await resolve('1.0.0', [wrong, aLogin(server.host, 'robot', 's3cret', 'new')]), { digest });
      }
    });

    it('logs in with a certificate of its own', async (t) => {
      const { server } = await startPair(t, { tls: true, clientCertificates: true, release });
      const { name: repository, resolve } = visit(t, server);
      const digest = await server.push(repository, '1.0.0');
      assert.deepEqual(await resolve('1.0.0'), { digest });
      const { clientCertificate: _, clientKey: __, ...bare } = server;
      const stranger = clientFor(t, bare).client;
      const target = { registry: server.host, repository };
      await assert.rejects(stranger.resolve(target, '1.0.0', stranger.credentials(target, []), signal), { code: 'Unavailable' });
    });

    it('fetches a new token when the old one has expired, and not before', async (t) => {
      const { server } = await startPair(t, { ...entrances['TLS and tokens'], release });
      const { name: repository, resolve, clock } = visit(t, server);
      const digest = await server.push(repository, '1.0.0');
      const { requests, life } = server.tokenServer!;
      life.seconds = 300;
      requests.length = 0;
      await resolve('1.0.0');
      await resolve('1.0.0');
      clock.aheadMs = 260_000;
      await resolve('1.0.0');
      assert.equal(requests.length, 1);
      clock.aheadMs = 280_000;
      assert.deepEqual(await resolve('1.0.0'), { digest });
      assert.deepEqual(
        requests.map(({ user, status, scopes }) => [user, status, scopes]),
        Array.from({ length: 2 }, () => ['robot', 200, [`repository:${repository}:pull`]]),
      );
    });

    it('replaces a token that the registry no longer takes', async (t) => {
      const { server } = await startPair(t, { ...entrances['TLS and tokens'], release });
      const { name: repository, resolve } = visit(t, server);
      const digest = await server.push(repository, '1.0.0');
      const { requests, life } = server.tokenServer!;
      requests.length = 0;
      // Registries grant a minute: this token is good for a second or two, although its answer says more.
      Object.assign(life, { seconds: -58, expiresIn: 300 });
      assert.deepEqual(await resolve('1.0.0'), { digest });
      Object.assign(life, { seconds: 300, expiresIn: undefined });
      await until('another token was fetched', async () => {
        assert.deepEqual(await resolve('1.0.0'), { digest });
        return requests.length === 2;
      });
    });

    it('takes tokens signed with RSA too, and over plain HTTP', async (t) => {
      const { server } = await startPair(t, { username: 'robot', password: 's3cret', tokens: { signedWith: 'rsa' }, release });
      const { name: repository, resolve } = visit(t, server);
      const digest = await server.push(repository, '1.0.0');
      assert.deepEqual(await resolve('1.0.0'), { digest });
    });

    it('exchanges an identity token', async (t) => {
      const { server } = await startPair(t, { ...entrances['TLS and tokens'], release });
      const { name: repository, resolve } = visit(t, server);
      const digest = await server.push(repository, '1.0.0');
      const tokens = server.tokenServer!;
      tokens.requests.length = 0;
      assert.deepEqual(await resolve('1.0.0', [identitySecret(server.host, tokens.identityToken('robot'))]), { digest });
      assert.deepEqual(
        tokens.requests.map(({ method, user, status }) => [method, user, status]),
        [['POST', 'robot', 200]],
      );
    });

    it('is told apart: a right login without a right to the repository', async (t) => {
      const users = { guest: { password: 'canary-guest', repositories: /^public\// } };
      const { server } = await startPair(t, { ...entrances['TLS and tokens'], tokens: { users, anonymousPull: /^public\// }, release });
      const { name: repository, resolve, client } = visit(t, server);
      await server.push(repository, '1.0.0');
      const digest = await server.push('public/app', '1.0.0');
      const guest = aLogin(server.host, 'guest', 'canary-guest');
      await assert.rejects(resolve('1.0.0', [guest]), /the login works but gives no right to pull this repository/);
      const open = { registry: server.host, repository: 'public/app' };
      assert.deepEqual(await client.resolve(open, '1.0.0', client.credentials(open, []), signal), { digest });
    });
  });
}
