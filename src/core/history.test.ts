import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTime } from './duration.ts';
import {
  digestsKey,
  type HistoryEntry,
  historyKey,
  lastUpdateKey,
  readDigests,
  readHistory,
  readLastUpdate,
  recordApplied,
} from './history.ts';

const now = Date.parse('2026-01-15T10:00:00Z');

function anEntry(overrides: Partial<HistoryEntry> = {}): HistoryEntry {
  return { container: 'web', image: 'nginx:1.26', timestamp: '2026-01-15T09:00:00Z', ...overrides };
}

function withHistory(...entries: unknown[]): Record<string, string> {
  return { [historyKey]: JSON.stringify(entries) };
}

describe('core/history', () => {
  describe('reading', () => {
    const unreadable: readonly (readonly [string, boolean])[] = [
      ['', true],
      ['  ', true],
      ['[]', true],
      ['{broken', false],
      ['{}', false],
      ['null', false],
      ['"text"', false],
      ['42', false],
    ];
    for (const [text, readable] of unreadable) {
      it(`${JSON.stringify(text)} is ${readable ? 'an empty history' : 'unreadable and counts as empty'}`, () => {
        assert.deepEqual(readHistory({ [historyKey]: text }), { entries: [], readable });
      });
    }

    it('no annotation is an empty history', () => assert.deepEqual(readHistory({}), { entries: [], readable: true }));

    it('entries that are none are dropped, the others stand', () => {
      const annotations = withHistory(null, 'x', 7, {}, { container: 'web', image: 'nginx:1' }, { ...anEntry(), container: 7 }, anEntry());
      assert.deepEqual(readHistory(annotations), { entries: [anEntry()], readable: true });
    });

    it('reads what the original wrote', () => {
      const original = {
        container: 'web',
        image: 'nginx:1.25',
        timestamp: '2025-12-01T08:00:00.123456789+00:00',
        updateRequestName: 'a',
        approvedBy: 'bob',
      };
      assert.deepEqual(readHistory(withHistory(original)).entries, [original]);
    });
  });

  describe('last-update', () => {
    const table: readonly (readonly [string | undefined, string | undefined])[] = [
      [undefined, undefined],
      ['2026-01-15T09:30:00Z', '2026-01-15T09:30:00Z'],
      ['2026-01-15T10:30:00+01:00', '2026-01-15T09:30:00Z'],
      ['2026-01-15T09:30:00Z (approved by alice)', '2026-01-15T09:30:00Z'],
      ['2026-01-15T09:30:00Z (approved by alice (ops) at night)', '2026-01-15T09:30:00Z'],
      [' 2026-01-15T09:30:00Z ', '2026-01-15T09:30:00Z'],
      ['2026-01-15T11:30:00Z', '2026-01-15T10:00:00Z'],
      ['yesterday', '2026-01-15T09:00:00Z'],
      ['', '2026-01-15T09:00:00Z'],
    ];
    for (const [text, same] of table) {
      it(`${JSON.stringify(text)} is ${same ?? 'never'}`, () => {
        const annotations = { ...withHistory(anEntry()), ...(text !== undefined && { [lastUpdateKey]: text }) };
        assert.equal(readLastUpdate(annotations, now), same === undefined ? undefined : parseTime(same));
      });
    }

    it('unreadable and without history is never', () => assert.equal(readLastUpdate({ [lastUpdateKey]: 'yesterday' }, now), undefined));
  });

  describe('digests', () => {
    const table: readonly (readonly [string, Record<string, string>])[] = [
      ['{"web":"sha256:a"}', { web: 'sha256:a' }],
      ['{"web":"sha256:a","odd":7,"none":null}', { web: 'sha256:a' }],
      ['{}', {}],
      ['[]', {}],
      ['["web"]', {}],
      ['null', {}],
      ['{broken', {}],
      ['', {}],
    ];
    for (const [text, digests] of table) {
      it(`${text === '' ? 'an empty text' : text} reads as ${JSON.stringify(digests)}`, () => {
        assert.deepEqual(readDigests({ [digestsKey]: text }), digests);
      });
    }
    it('no annotation reads as {}', () => assert.deepEqual(readDigests({}), {}));
  });

  describe('writing', () => {
    it('the three annotations after a change: plain time, newest first, digest of the container', () => {
      const before = { ...withHistory(anEntry()), [digestsKey]: '{"web":"sha256:a","api":"sha256:b"}' };
      const applied = anEntry({ image: 'nginx:1.27', timestamp: '2026-01-15T10:00:00Z', digest: 'sha256:c' });
      assert.deepEqual(recordApplied(before, [applied], now), {
        [lastUpdateKey]: '2026-01-15T10:00:00Z',
        [historyKey]: JSON.stringify([applied, anEntry()]),
        [digestsKey]: '{"web":"sha256:c","api":"sha256:b"}',
      });
    });

    it('a change without a known digest forgets the one before', () => {
      const after = recordApplied({ [digestsKey]: '{"web":"sha256:a","api":"sha256:b"}' }, [anEntry()], now);
      assert.deepEqual(readDigests(after), { api: 'sha256:b' });
    });

    it('an unreadable history starts again', () => {
      assert.deepEqual(readHistory(recordApplied({ [historyKey]: '{broken' }, [anEntry()], now)).entries, [anEntry()]);
    });

    it('unknown keys of old entries are kept', () => {
      const old = { ...anEntry(), ticket: 'OPS-1', nested: { a: [1] } };
      assert.deepEqual(readHistory(recordApplied(withHistory(old), [anEntry()], now)).entries[1], old);
    });

    it('keeps the newest ten of each container', () => {
      let annotations: Record<string, string> = {};
      for (let version = 1; version <= 13; version++) {
        annotations = recordApplied(annotations, [anEntry({ image: `nginx:${version}` })], now);
        if (version <= 3) annotations = recordApplied(annotations, [anEntry({ container: 'api', image: `api:${version}` })], now);
      }
      const { entries } = readHistory(annotations);
      const images = (container: string) => entries.filter((entry) => entry.container === container).map(({ image }) => image);
      assert.deepEqual(
        images('web'),
        [13, 12, 11, 10, 9, 8, 7, 6, 5, 4].map((version) => `nginx:${version}`),
      );
      assert.deepEqual(images('api'), ['api:3', 'api:2', 'api:1']);
    });

    it('keeps 64 KiB in all, dropping the oldest', () => {
      const long = (name: string) => ({ ...anEntry({ container: name }), note: 'ä'.repeat(5000) });
      const before = withHistory(...Array.from({ length: 20 }, (_, index) => long(`c${index}`)));
      const after = recordApplied(before, [anEntry()], now)[historyKey] ?? '';
      assert.ok(Buffer.byteLength(after) <= 64 * 1024, `${Buffer.byteLength(after)}`);
      const { entries } = readHistory({ [historyKey]: after });
      assert.deepEqual(
        entries.map(({ container }) => container),
        ['web', 'c0', 'c1', 'c2', 'c3', 'c4', 'c5'],
      );
    });

    it('an entry that is too large alone is kept alone: what was applied is known', () => {
      const after = recordApplied(withHistory(anEntry()), [{ ...anEntry(), reason: 'x'.repeat(70_000) }], now);
      assert.equal(readHistory(after).entries.length, 1);
    });
  });
});
