import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GiveUp, until } from './until.ts';
import type { See } from './until.ts';

describe('test/cluster/until', () => {
  it('gives what the first successful attempt gave', async () => {
    let attempts = 0;
    const third = () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return attempts === 3 && `attempt ${attempts}`;
    };
    assert.equal(await until('it works', third), 'attempt 3');
  });

  const seeing = (see: See) => {
    see({ replicas: 1 });
    return undefined;
  };
  const failures: readonly (readonly [string, (see: See) => undefined | Promise<undefined>, RegExp])[] = [
    ['what was seen last', seeing, /not within 0\.05 s: three\nlast seen: \{ replicas: 1 \}/],
    ['the last error', () => Promise.reject(new Error('refused')), /not within 0\.05 s: three\nlast seen: refused/],
    ['itself, when an attempt hangs', () => new Promise<undefined>(() => undefined), /not within 0\.05 s: three$/],
  ];
  for (const [title, attempt, message] of failures) {
    it(`fails in time and shows ${title}`, async () => {
      await assert.rejects(
        until('three', (see) => attempt(see), { timeoutMs: 50 }),
        ({ message: text }: Error) => message.test(text),
      );
    });
  }

  it('gives up when an attempt says that no other makes sense', async () => {
    await assert.rejects(
      until('never', () => Promise.reject(new GiveUp('it ended'))),
      /^Error: it ended/,
    );
  });
});
