import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ApiError } from '../errors.ts';
import { createIdentityCache, type Issued } from './identity-cache.ts';
import { NoIdentity } from './identity-world.ts';

const signal = new AbortController().signal;
const minute = 60_000;

function setUp(t: TestContext, lifeMs: number | null = 60 * minute) {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const cache = createIdentityCache({ clock, key: Buffer.alloc(32, 1) });
  t.after(() => cache.close());
  const made = { count: 0, failure: undefined as Error | undefined };
  const issue = async (): Promise<Issued> => {
    made.count++;
    if (made.failure) throw made.failure;
    const expiresAtMs = lifeMs === null ? undefined : clock.ms + lifeMs;
    return { contents: [{ kind: 'bearer', token: `canary-${made.count}` }], expiresAtMs };
  };
  const get = async (refused = false) => {
    const fetched = await cache.get({ keys: ['a'], signal, refused, issue });
    if ('unavailable' in fetched) return fetched.unavailable;
    const content = fetched.secrets[0]?.reveal();
    return content?.kind === 'bearer' ? content.token : undefined;
  };
  const settled = () => new Promise(setImmediate);
  return { clock, cache, made, issue, get, settled };
}

describe('registry/identity-cache', () => {
  it('asks once for all who wait', async (t) => {
    const { made, get } = setUp(t);
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 30 }, () => get()))), new Set(['canary-1']));
    assert.equal(made.count, 1);
  });

  it('renews between 72 and 88 % of the life, and the old one serves meanwhile', async (t) => {
    const { clock, made, get, settled } = setUp(t);
    await get();
    clock.ms += 60 * minute * 0.71;
    assert.equal(await get(), 'canary-1');
    await settled();
    assert.equal(made.count, 1);
    clock.ms += 60 * minute * 0.18;
    assert.equal(await get(), 'canary-1');
    await settled();
    assert.deepEqual([made.count, await get()], [2, 'canary-2']);
  });

  it('a renewal that fails changes nothing until the end, and is tried again in 30 s, a minute, two', async (t) => {
    const { clock, made, get, settled } = setUp(t);
    await get();
    made.failure = new NoIdentity('the cloud is away');
    clock.ms += 53.5 * minute;
    const counts: number[] = [];
    for (const waitMs of [0, 29_000, 2_000, 30_000, 31_000]) {
      clock.ms += waitMs;
      assert.equal(await get(), 'canary-1');
      await settled();
      counts.push(made.count);
    }
    assert.deepEqual(counts, [2, 2, 3, 3, 4]);
  });

  it('after its end nothing old is given', async (t) => {
    const { clock, made, get } = setUp(t);
    await get();
    clock.ms += 61 * minute;
    made.failure = new NoIdentity('the cloud is away');
    assert.equal(await get(), 'the cloud is away');
  });

  it('what was refused is not given again, unless it is younger than five minutes', async (t) => {
    const { clock, get } = setUp(t);
    await get();
    assert.equal(await get(true), 'canary-1');
    clock.ms += 6 * minute;
    assert.equal(await get(true), 'canary-2');
  });

  it('a life that is not said is five minutes, and none is longer than 12 hours', async (t) => {
    const short = setUp(t, null);
    await short.get();
    short.clock.ms += 5 * minute;
    assert.equal(await short.get(), 'canary-2');
    const long = setUp(t, 365 * 24 * 60 * minute);
    await long.get();
    long.clock.ms += 12 * 60 * minute;
    assert.equal(await long.get(), 'canary-2');
  });

  it('what is over when it comes serves once', async (t) => {
    const { get } = setUp(t, 0);
    assert.deepEqual([await get(), await get()], ['canary-1', 'canary-2']);
  });

  it('where there was never an identity it looks again after ten minutes', async (t) => {
    const { clock, made, get } = setUp(t);
    made.failure = new NoIdentity('no cloud here', { isExpected: true });
    for (let looks = 0; looks < 10; looks++) {
      assert.equal(await get(), 'no cloud here');
      clock.ms += 59_000;
    }
    assert.equal(made.count, 1);
    clock.ms += minute;
    await get();
    assert.equal(made.count, 2);
  });

  it('failures of the world are a sentence, bugs are thrown', async (t) => {
    const { clock, made, get } = setUp(t);
    made.failure = new ApiError(403, 'Forbidden', 'cannot create tokens');
    assert.equal(await get(), 'cannot create tokens');
    clock.ms += minute;
    made.failure = new TypeError('a bug');
    await assert.rejects(get(), TypeError);
  });

  it('one who gives up does not spoil it for the others, and nobody waits after the end', async (t) => {
    const { cache } = setUp(t);
    const impatient = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Issued>();
    const ask = (given: AbortSignal) => cache.get({ keys: ['b'], signal: given, refused: false, issue: () => promise });
    const [first, second] = [ask(impatient.signal), ask(signal)];
    impatient.abort(new Error('gave up'));
    await assert.rejects(first, /gave up/);
    resolve({ contents: [], expiresAtMs: undefined });
    assert.deepEqual(await second, { secrets: [], isFresh: true });
  });
});
