import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { type VendorFake, vendorFakes } from '../../test/fakes/registry-vendors.ts';
import { vendors } from './quirks.ts';

const names = Array.from({ length: 250 }, (_, index) => `1.0.${index}`);

describe('registry/vendors', () => {
  it('every vendor with quirks is tried', () => {
    const tried = new Set(vendorFakes.map(({ vendor }) => vendor));
    assert.deepEqual(
      [...vendors].filter((vendor) => !tried.has(vendor)),
      [],
    );
  });

  for (const vendorFake of vendorFakes) {
    const { vendor, host, resolve: expected, pages } = vendorFake;
    describe(vendor, () => {
      it('gives the digest of a tag, and later with one request', async (t) => {
        const { asked, resolve, digest } = await start(t, vendorFake);
        assert.equal(await resolve('1.0.0'), digest);
        assert.deepEqual(asked.splice(0), expected);
        assert.equal(await resolve('1.0.0'), digest);
        assert.deepEqual(asked.splice(0), [expected.at(-1)]);
      });

      it('lists all tags', async (t) => {
        const { asked, tags } = await start(t, vendorFake);
        const list = await tags();
        assert.deepEqual([[...list.tags].sort(), list.truncated], [[...names].sort(), false]);
        const counted = asked.splice(0).filter((request) => request.includes('/tags/list'));
        await tags();
        // Pages, and what was asked only to learn how this registry wants to be asked.
        assert.ok(counted.length >= pages && counted.length <= pages + 2, `${counted.length} requests`);
        assert.ok(
          asked.every((request) => request.includes('/tags/list')),
          'the token is known by now',
        );
      });

      it('gives contents by digest', async (t) => {
        const { contents, digest } = await start(t, vendorFake);
        assert.deepEqual(
          (await contents(digest)).images.map(({ architecture }) => architecture),
          ['amd64', 'arm64'],
        );
      });

      it('has no credential for anybody else', async (t) => {
        const { fake, resolve } = await start(t, vendorFake);
        await resolve('1.0.0');
        const told = fake.requests.filter(({ headers }) => headers['authorization']?.startsWith('Basic'));
        const trusted = new Set([originOf(expected[0]), originOf(expected[1])]);
        assert.ok(
          told.every(({ headers }) => trusted.has(headers['x-asked-origin'])),
          host,
        );
      });
    });
  }

  it('a secondary limit of GitHub is a limit and no refusal', async (t) => {
    const { fake, resolve } = await start(t, fakeOf('GitHub'));
    fake.switches.failures = Array.from({ length: 3 }, () => ({ status: 403, headers: { 'x-ratelimit-remaining': '0' } }));
    await assert.rejects(resolve('1.0.0'), { code: 'RateLimited' });
  });

  it('ECR says that it is asked too often in words of its own', async (t) => {
    const { fake, tags } = await start(t, fakeOf('Amazon ECR'));
    const body = '{"errors":[{"code":"ThrottlingException","message":"Rate exceeded"}]}';
    fake.switches.failures = Array.from({ length: 3 }, () => ({ status: 400, body }));
    await assert.rejects(tags(), { code: 'RateLimited' });
  });

  it('Docker Hub is not asked by GET for a tag that it does not have', async (t) => {
    const { asked, resolve } = await start(t, fakeOf('Docker Hub'));
    await assert.rejects(resolve('2.0.0'), { code: 'NotFound' });
    assert.ok(
      asked.every((request) => !request.startsWith('GET https://registry-1')),
      asked.join(),
    );
  });
});

function fakeOf(name: string): VendorFake {
  const found = vendorFakes.find(({ vendor }) => vendor === name);
  assert.ok(found);
  return found;
}

async function start(t: Parameters<typeof setUpRegistry>[0], { host, repository, login, switches }: VendorFake) {
  const asked: string[] = [];
  const setup = await setUpRegistry(t, { asked });
  const kept = switches.intercept ? `images/${repository}` : repository;
  const digest = setup.fake.push(kept, '1.0.0');
  for (const tag of names.slice(1)) setup.fake.push(kept, tag);
  Object.assign(setup.fake.switches, switches);
  const secrets = login ? [aLogin(login.key, login.username, login.password)] : [];
  const ref = { registry: host, repository };
  return {
    ...setup,
    asked,
    digest,
    resolve: (reference: string) => setup.resolve(reference, secrets, ref),
    tags: () => setup.tags(secrets, ref),
    contents: (wanted: string) => setup.contents(wanted, secrets, ref),
  };
}

function originOf(request: string | undefined): string | undefined {
  return request === undefined ? undefined : new URL(request.split(' ')[1] ?? '').origin;
}
