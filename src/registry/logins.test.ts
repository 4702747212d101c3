import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogins } from './logins.ts';

const signal = new AbortController().signal;
const minute = 60_000;

function setUp() {
  const clock = { ms: 0, now: () => clock.ms };
  const logins = createLogins(clock);
  return { clock, begin: () => logins.begin('https://a', 'f', signal), logins };
}

describe('registry/logins', () => {
  it('lets a refused credential rest, twice as long each time, up to an hour', async () => {
    const { clock, begin } = setUp();
    for (const restMs of [5 * minute, 10 * minute, 20 * minute, 40 * minute, 60 * minute, 60 * minute]) {
      (await begin())!.end('refused');
      clock.ms += restMs - 1;
      assert.equal(await begin(), undefined);
      clock.ms += 1;
    }
  });

  it('forgets the refusals once it is accepted', async () => {
    const { clock, begin } = setUp();
    (await begin())!.end('refused');
    clock.ms += 5 * minute;
    (await begin())!.end('accepted');
    (await begin())!.end('refused');
    clock.ms += 5 * minute;
    assert.ok(await begin());
  });

  it('rests at one registry only', async () => {
    const { begin, logins } = setUp();
    (await begin())!.end('refused');
    assert.ok(await logins.begin('https://b', 'f', signal));
    assert.ok(await logins.begin('https://a', 'g', signal));
  });

  it('lets one call at a time try what was never accepted', async () => {
    const { begin } = setUp();
    const first = await begin();
    const others = [begin(), begin(), begin()];
    first!.end('refused');
    assert.deepEqual(await Promise.all(others), [undefined, undefined, undefined]);
  });

  it('lets all in at once after that', async () => {
    const { begin } = setUp();
    (await begin())!.end('accepted');
    const logins = await Promise.all([begin(), begin()]);
    assert.ok(logins.every((login) => login !== undefined));
  });
});
