import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeRegistry } from '../../test/contracts/registry.ts';
import { selfSigned } from '../../test/fakes/certificate.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';

describe('registry/client', () => {
  describeRegistry('the client of src/registry', async (t) => {
    const { registry, fake } = await setUpRegistry(t);
    return { registry, host: fake.host, push: (repository, tag) => fake.push(repository, tag) };
  });

  it('asks once for all who want the same', async (t) => {
    const { fake, resolve, tags, seen, counts } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    await Promise.all(Array.from({ length: 10 }, () => resolve('1.0.0')));
    await Promise.all(Array.from({ length: 10 }, () => tags()));
    assert.deepEqual(seen(), ['HEAD /v2/acme/app/manifests/1.0.0', 'GET /v2/acme/app/tags/list?n=1000']);
    assert.deepEqual([counts.get('registry_cache_hits_total cache=resolve'), counts.get('registry_cache_hits_total cache=tags')], [9, 9]);
  });

  it('does not share answers between credentials', async (t) => {
    const { fake, resolve, seen } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    await Promise.all([resolve('1.0.0', [aLogin(fake.host, 'a', 'x')]), resolve('1.0.0', [aLogin(fake.host, 'b', 'x')])]);
    assert.equal(seen().length, 2);
  });

  it('counts requests by operation and result', async (t) => {
    const { fake, resolve, tags, counts } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    await resolve('1.0.0');
    await tags();
    await assert.rejects(resolve('2.0.0'));
    const requests = [...counts].filter(([name]) => name.startsWith('registry_requests_total'));
    assert.deepEqual(requests, [
      ['registry_requests_total operation=resolve result=ok', 1],
      ['registry_requests_total operation=tags result=ok', 1],
      ['registry_requests_total operation=resolve result=NotFound', 1],
    ]);
    assert.equal(counts.get('registry_request_duration_seconds operation=resolve'), 2);
  });

  it('warns once of a key that covers a foreign repository', async (t) => {
    const { registry, repository, logged } = await setUpRegistry(t);
    const ref = repository('acme-evil/app', 'ghcr.io');
    const secret = aPullSecret({ 'ghcr.io/acme': { username: 'u', password: 'canary' } });
    for (let times = 0; times < 3; times++) registry.credentials(ref, [secret]);
    assert.equal(logged.length, 1);
    assert.match(logged[0]!, /Secret team\/regcred, key ghcr\.io\/acme/);
  });

  it('takes a set of credentials from elsewhere for none', async (t) => {
    const { fake, registry, repository, signal } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    const foreign = { fingerprint: 'x', candidates: [{ source: 'anonymous', secret: {} }], problems: [] };
    assert.deepEqual(await registry.resolve(repository(), '1.0.0', foreign, signal), { digest });
  });

  it('takes a set that was made for another registry for none', async (t) => {
    const { fake, registry, repository, signal, resolve } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { bot: 'canary' } });
    const elsewhere = registry.credentials(repository('acme/app', 'ghcr.io'), [
      aPullSecret({ 'ghcr.io': { username: 'bot', password: 'canary' } }),
    ]);
    await assert.rejects(registry.resolve(repository(), '1.0.0', elsewhere, signal), {
      code: 'Unauthorized',
      credentialSource: 'anonymous',
    });
    assert.deepEqual(
      fake.requests.map(({ headers }) => headers['authorization']),
      [undefined],
    );
    const upper = fake.host.replace('127.0.0.1', 'LOCALHOST');
    assert.equal(
      await resolve('1.0.0', [aPullSecret({ [upper]: { username: 'bot', password: 'canary' } })], repository('acme/app', upper)),
      digest,
    );
  });

  it('speaks plain HTTP with configured hosts', async (t) => {
    const { fake, resolve, repository } = await setUpRegistry(t, {
      insecureHosts: ['registry.test'],
      outbound: { resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
    });
    const digest = fake.push('acme/app', '1.0.0');
    const host = `registry.test:${fake.host.split(':')[1]}`;
    assert.equal(await resolve('1.0.0', [], repository('acme/app', host)), digest);
    await assert.rejects(resolve('1.0.0', [], repository('acme/app', host.replace('registry', 'other'))), { code: 'Unavailable' });
  });

  it('speaks TLS with the authority of the registry, and takes its token endpoint for part of it', async (t) => {
    const { fake, resolve, repository } = await setUpRegistry(t, {
      tls: selfSigned(['registry.test']),
      isTrusted: true,
      outbound: { resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
    });
    const digest = fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'bearer', users: { bot: 'canary' }, realm: '/token' });
    const host = `registry.test:${fake.host.split(':')[1]}`;
    assert.equal(await resolve('1.0.0', [aLogin(host, 'bot', 'canary')], repository('acme/app', host)), digest);
  });

  it('puts no line break of others into a sentence', async (t) => {
    const { resolve, repository } = await setUpRegistry(t);
    await assert.rejects(
      resolve('1.0.0', [], repository('a\r\nb', 'x\ny')),
      (error) => error instanceof Error && !/[\r\n]/.test(error.message),
    );
  });

  it('ends what is under way when it is closed', async (t) => {
    const { fake, registry, tags } = await setUpRegistry(t);
    fake.switches.intercept = () => true;
    const listing = tags();
    await registry.close();
    await assert.rejects(listing, /closed/);
  });
});
