import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setUpRegistry } from '../../test/fakes/registry-setup.ts';

const hour = 3_600_000;

async function setUp(t: Parameters<typeof setUpRegistry>[0], options?: Parameters<typeof setUpRegistry>[1]) {
  const setup = await setUpRegistry(t, options);
  setup.fake.push('acme/app', '1.0.0');
  setup.fake.push('acme/web', '1.0.0');
  return setup;
}

describe('registry/send', () => {
  for (const status of [408, 429, 499, 500, 502, 503, 504, 522]) {
    it(`tries again after ${status}`, async (t) => {
      const { fake, resolve, sleeps } = await setUp(t);
      fake.switches.failures = [{ status }, { status }];
      await resolve('1.0.0');
      assert.deepEqual([fake.requests.length, sleeps.length], [3, 2]);
      assert.ok(sleeps.every((ms) => ms <= 2_500));
    });
  }

  const finals = [
    // status, code
    [429, 'RateLimited'],
    [503, 'Unavailable'],
  ] as const;
  for (const [status, code] of finals) {
    it(`gives up after three answers of ${status}`, async (t) => {
      const { fake, tags } = await setUp(t);
      fake.switches.failures = Array.from({ length: 9 }, () => ({ status }));
      await assert.rejects(tags(), { code, httpStatus: status });
      assert.equal(fake.requests.length, 3);
    });
  }

  const once = [
    // status, body, code
    [400, '', 'Protocol'],
    [404, '', 'NotFound'],
    [410, '<html>', 'Protocol'],
    [418, '{"errors":[{"code":"DENIED"}]}', 'Denied'],
    [400, '{"errors":[{"code":"NAME_UNKNOWN"}]}', 'NotFound'],
    [501, '', 'Unavailable'],
    [204, '', 'Protocol'],
    [304, '', 'Protocol'],
  ] as const;
  for (const [status, body, code] of once) {
    it(`asks once and says ${code} for ${status} ${body}`, async (t) => {
      const { fake, tags } = await setUp(t);
      // Only a page without n may be judged by 400.
      fake.switches.intercept = (_, response) => Boolean(response.writeHead(status, { location: '' }).end(body));
      await assert.rejects(tags(), { code, httpStatus: status });
      assert.ok(fake.requests.length <= 3);
    });
  }

  it('makes everybody wait as long as the registry says', async (t) => {
    const { fake, resolve, repository, clock, sleeps } = await setUp(t);
    fake.switches.failures = [{ status: 429, headers: { 'retry-after': '20' } }];
    const before = clock.ms;
    await resolve('1.0.0');
    await resolve('1.0.0', [], repository('acme/web'));
    assert.deepEqual([clock.ms - before, sleeps], [20_000, [20_000]]);
  });

  it('understands a date', async (t) => {
    const { fake, resolve, clock, sleeps } = await setUp(t);
    fake.switches.failures = [{ status: 503, headers: { 'retry-after': new Date(clock.ms + 5_000).toUTCString() } }];
    await resolve('1.0.0');
    assert.deepEqual(sleeps, [5_000]);
  });

  it('waits no longer than an hour, and asks nobody meanwhile', async (t) => {
    const { fake, resolve, repository, clock, logged } = await setUp(t);
    fake.switches.failures = [{ status: 429, headers: { 'retry-after': '999999' } }];
    await assert.rejects(resolve('1.0.0'), { code: 'RateLimited', httpStatus: 429, retryAfterMs: hour });
    clock.ms += hour - 60_000;
    const other = resolve('1.0.0', [], repository('acme/web'));
    await assert.rejects(other, {
      code: 'RateLimited',
      httpStatus: undefined,
      retryAfterMs: 60_000,
      message: /asked to be left alone for 60 s more/,
    });
    assert.equal(fake.requests.length, 1);
    assert.equal(logged.length, 1);
    clock.ms += 60_000;
    assert.ok(await resolve('1.0.0'));
  });

  it('takes a date in the past for an ordinary failure', async (t) => {
    const { fake, resolve } = await setUp(t);
    fake.switches.failures = [{ status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2015 00:00:00 GMT' } }];
    assert.ok(await resolve('1.0.0'));
  });

  const limits = [
    // title, host of a public service, answer, code
    ['a body that says so', 'quay.io', { status: 403, body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}' }, 'RateLimited'],
    ['a throttled AWS', 'quay.io', { status: 400, body: '{"errors":[{"code":"ThrottlingException"}]}' }, 'RateLimited'],
    ['a secondary limit of GitHub', 'ghcr.io', { status: 403, body: 'You have exceeded a secondary rate limit' }, 'RateLimited'],
    ['403 with Retry-After of GitHub', 'ghcr.io', { status: 403, headers: { 'retry-after': '1' } }, 'RateLimited'],
    ['403 with an exhausted limit of GitHub', 'ghcr.io', { status: 403, headers: { 'x-ratelimit-remaining': '0' } }, 'RateLimited'],
    ['403 of GitHub', 'ghcr.io', { status: 403, body: 'secondary' }, 'Denied'],
    ['403 with Retry-After of others', 'quay.io', { status: 403, headers: { 'retry-after': '1' } }, 'Denied'],
  ] as const;
  for (const [title, name, answer, code] of limits) {
    it(`calls ${title} ${code}`, async (t) => {
      const { fake, tags, repository } = await setUp(t, {
        insecureHosts: [name],
        outbound: { resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
      });
      fake.switches.failures = Array.from({ length: 9 }, () => ({ ...answer }));
      await assert.rejects(tags([], repository('acme/app', `${name}:${fake.host.split(':')[1]}`)), { code });
    });
  }

  it('stops after five failures in a row and asks again after half a minute', async (t) => {
    const { fake, tags, clock, logged } = await setUp(t);
    fake.switches.intercept = (_, response) => Boolean(response.writeHead(500).end());
    await assert.rejects(tags(), { code: 'Unavailable', httpStatus: 500 });
    await assert.rejects(tags(), { code: 'Unavailable', httpStatus: 500 });
    assert.equal(fake.requests.length, 5);
    await assert.rejects(tags(), {
      code: 'Unavailable',
      httpStatus: undefined,
      message: /failed several times in a row and is asked again in \d+ s; the last time: HTTP 500\.$/,
    });
    assert.equal(fake.requests.length, 5);
    fake.switches.intercept = undefined;
    clock.ms += 30_000;
    assert.ok(await tags());
    assert.deepEqual(
      logged.map((line) => line.slice(0, line.indexOf(' {'))),
      ['registry failed several times in a row and is left alone', 'registry answers again'],
    );
  });

  it('takes a connection that breaks off for a passing failure', async (t) => {
    const { fake, resolve } = await setUp(t);
    let broken = 2;
    fake.switches.intercept = (_, response) => broken-- > 0 && Boolean(response.socket?.destroy());
    assert.ok(await resolve('1.0.0'));
    assert.equal(fake.requests.length, 3);
  });

  it('names the host when nobody answers there', async (t) => {
    const { fake, resolve } = await setUp(t);
    await fake.close();
    await assert.rejects(resolve('1.0.0'), { code: 'Unavailable', message: new RegExp(`${fake.host}.*ECONNREFUSED`) });
  });
});
