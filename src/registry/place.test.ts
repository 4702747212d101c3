import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const key = '/artifactory/api/docker/docker-local/v2';
const artifactory = { artifactory: true, repositoryPath: true, digestHeader: 'missing', etag: 'sha1' } as const;

const repositories = [
  // repository as the image names it, as the registry has it, requests of the first look, of the second
  ['docker-local/app', 'docker-local/app', ['/v2/docker-local/app', `${key}/app`], [`${key}/app`]],
  ['docker-local/team/app', 'docker-local/team/app', ['/v2/docker-local/team/app', `${key}/team/app`], [`${key}/team/app`]],
  ['docker-local/a/b/c', 'docker-local/a/b/c', ['/v2/docker-local/a/b/c', `${key}/a/b/c`], [`${key}/a/b/c`]],
  [
    'docker-local/nginx',
    'docker-local/library/nginx',
    ['/v2/docker-local/nginx', `${key}/nginx`, `${key}/library/nginx`],
    [`${key}/library/nginx`],
  ],
] as const;

describe('registry/place', () => {
  for (const [name, kept, first, second] of repositories) {
    it(`finds ${name} at ${second.join()}, and remembers it`, async (t) => {
      const { fake, resolve, seen, repository } = await setUpRegistry(t);
      const digest = fake.push(kept, '1.0.0');
      Object.assign(fake.switches, artifactory);
      for (const paths of [first, second]) {
        assert.equal(await resolve('1.0.0', [], repository(name)), digest);
        assert.deepEqual(
          seen(),
          paths.map((path) => `HEAD ${path}/manifests/1.0.0`),
        );
      }
    });
  }

  it('lists tags there, page by page although the links have lost the path', async (t) => {
    const { fake, tags, seen, repository } = await setUpRegistry(t);
    const names = Array.from({ length: 5 }, (_, index) => `1.0.${index}`);
    for (const name of names) fake.push('docker-local/team/app', name);
    Object.assign(fake.switches, artifactory, { pageSize: 2, link: 'prefix-lost' });
    assert.deepEqual(await tags([], repository('docker-local/team/app')), { tags: names, truncated: false });
    assert.deepEqual(seen(), [
      'GET /v2/docker-local/team/app/tags/list?n=1000',
      `GET ${key}/team/app/tags/list?n=1000`,
      `GET ${key}/team/app/tags/list?n=1000&last=1.0.1`,
      `GET ${key}/team/app/tags/list?n=1000&last=1.0.3`,
    ]);
  });

  it('reads contents there', async (t) => {
    const { fake, contents, repository } = await setUpRegistry(t);
    const digest = fake.push('docker-local/app', '1.0.0');
    Object.assign(fake.switches, artifactory);
    assert.equal((await contents(digest, [], repository('docker-local/app'))).images.length, 2);
  });

  for (const auth of ['basic', 'bearer'] as const) {
    it(`goes there after a login (${auth}) as well`, async (t) => {
      const { fake, resolve, repository } = await setUpRegistry(t);
      const digest = fake.push('docker-local/team/app', '1.0.0');
      Object.assign(fake.switches, artifactory, { auth, users: { bot: 'canary' } });
      // The usual path demands a login too, before it says that there is nothing.
      fake.switches.intercept = ({ url, headers }, response) => {
        if (!url.startsWith('/v2/') || headers['authorization'] !== undefined) return false;
        response.writeHead(401, { 'www-authenticate': auth === 'basic' ? 'Basic realm="x"' : `Bearer realm="${fake.origin}/token"` }).end();
        return true;
      };
      assert.equal(await resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')], repository('docker-local/team/app')), digest);
    });
  }

  it('is not tried where a configuration forbids it, nor at registries that are none', async (t) => {
    const { fake, resolve, seen, repository } = await setUpRegistry(t, { artifactoryFallback: false });
    fake.push('docker-local/app', '1.0.0');
    Object.assign(fake.switches, artifactory);
    await assert.rejects(resolve('1.0.0', [], repository('docker-local/app')), { code: 'NotFound' });
    assert.equal(seen().length, 1);
    const other = await setUpRegistry(t);
    await assert.rejects(other.resolve('1.0.0', [], other.repository('docker-local/app')), { code: 'NotFound' });
    assert.deepEqual(
      other.seen(),
      ['HEAD', 'GET'].map((method) => `${method} /v2/docker-local/app/manifests/1.0.0`),
    );
  });

  it('is not tried for a missing tag where the usual path has worked', async (t) => {
    const { fake, resolve, seen, repository } = await setUpRegistry(t);
    fake.push('docker-local/app', '1.0.0');
    fake.switches.artifactory = true;
    await resolve('1.0.0', [], repository('docker-local/app'));
    seen();
    await assert.rejects(resolve('2.0.0', [], repository('docker-local/app')), { code: 'NotFound' });
    assert.deepEqual(seen(), ['HEAD /v2/docker-local/app/manifests/2.0.0']);
  });

  it('goes back to the usual path when that is where the repository has gone', async (t) => {
    const { fake, resolve, seen, repository } = await setUpRegistry(t);
    fake.push('docker-local/app', '1.0.0');
    Object.assign(fake.switches, artifactory);
    await resolve('1.0.0', [], repository('docker-local/app'));
    // Nor does it call itself what it was.
    Object.assign(fake.switches, { repositoryPath: false, artifactory: false, digestHeader: 'sent' });
    seen();
    await resolve('1.0.0', [], repository('docker-local/app'));
    await resolve('1.0.0', [], repository('docker-local/app'));
    assert.deepEqual(seen(), [
      `HEAD ${key}/app/manifests/1.0.0`,
      ...Array.from({ length: 2 }, () => 'HEAD /v2/docker-local/app/manifests/1.0.0'),
    ]);
  });

  it('says NotFound when the other paths refuse the login: the first answer stands', async (t) => {
    const { fake, resolve, repository } = await setUpRegistry(t);
    fake.push('docker-local/app', '1.0.0');
    Object.assign(fake.switches, artifactory, { auth: 'basic' });
    fake.switches.intercept = ({ url }, response) =>
      url.startsWith('/v2/') && Boolean(response.writeHead(404, { 'x-artifactory-id': 'x' }).end());
    await assert.rejects(resolve('1.0.0', [], repository('docker-local/app')), { code: 'NotFound' });
    assert.ok(fake.requests.length > 1);
  });
});
