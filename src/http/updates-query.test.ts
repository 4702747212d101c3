import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anUpdateRequest } from '../../test/builders.ts';
import type { UpdateRequest, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { HttpProblem } from './problem.ts';
import { pageOf, readUpdatesQuery } from './updates-query.ts';

const rejected: UpdateRequestStatus = { phase: 'Rejected', rejectedAt: '2026-01-15T10:00:00Z' };

function request(
  namespace: string,
  name: string,
  created: string,
  changes: { status?: UpdateRequestStatus; spec?: object } = {},
): UpdateRequest {
  return anUpdateRequest({ metadata: { namespace, name, creationTimestamp: created }, ...changes });
}

const all: readonly UpdateRequest[] = [
  request('shop', 'old', '2026-01-01T00:00:00Z'),
  request('shop', 'done', '2026-03-01T00:00:00Z', { status: rejected }),
  request('team', 'new', '2026-02-01T00:00:00Z', {
    spec: { policy: 'major', newImage: 'ghcr.io/acme/API:2', targetRef: { kind: 'StatefulSet', name: 'db' } },
  }),
  request('team', 'early', '2026-01-01T00:00:00Z', { status: {} }),
  request('team', 'past', '2026-01-01T00:00:00Z', { status: rejected }),
];

function names(query: Record<string, string>, requests: readonly UpdateRequest[] = all): string[] {
  return pageOf(
    requests,
    readUpdatesQuery((name) => query[name]),
  ).requests.map(({ metadata }) => metadata.name);
}

const table: readonly [query: Record<string, string>, names: string[]][] = [
  [{}, ['new', 'old', 'early', 'done', 'past']],
  [{ namespace: 'shop' }, ['old', 'done']],
  [{ namespace: 'shop,team' }, ['new', 'old', 'early', 'done', 'past']],
  [{ phase: 'Pending' }, ['new', 'old', 'early']],
  [{ phase: 'rejected, Failed' }, ['done', 'past']],
  [{ kind: 'statefulset' }, ['new']],
  [{ policy: 'major' }, ['new']],
  [{ search: 'acme/api' }, ['new']],
  [{ search: 'DB' }, ['new']],
  [{ search: 'old' }, ['old']],
  [{ search: 'nothing like it' }, []],
  [{ namespace: 'team', phase: 'Pending', limit: '1' }, ['new']],
  [{ limit: '' }, ['new', 'old', 'early', 'done', 'past']],
  [{ namespace: ',' }, ['new', 'old', 'early', 'done', 'past']],
];

const unusable: readonly [query: Record<string, string>, sentence: RegExp][] = [
  [{ phase: 'Waiting' }, /"Waiting" is no phase; use Pending, Approved/],
  [{ policy: 'newest' }, /"newest" is no policy; use none, patch/],
  [{ limit: '0' }, /limit/],
  [{ limit: '-1' }, /limit/],
  [{ limit: 'all' }, /limit/],
  [{ cursor: 'abc' }, /cursor/],
  [{ cursor: Buffer.from('[0,1,2,3]').toString('base64url') }, /cursor/],
];

describe('http/updates-query', () => {
  for (const [query, expected] of table) {
    it(`${JSON.stringify(query)}: ${expected.join(' ') || 'nothing'}`, () => assert.deepEqual(names(query), expected));
  }

  for (const [query, sentence] of unusable) {
    it(`${JSON.stringify(query)} cannot be used`, () => {
      assert.throws(
        () => names(query),
        (error) => error instanceof HttpProblem && error.problem.status === 400 && sentence.test(error.message),
      );
    });
  }

  it('pages of any size join to the whole list, whatever is deleted between them', () => {
    const phase = fc.constantFrom<UpdateRequestStatus>({ phase: 'Pending' }, rejected);
    const item = fc.tuple(fc.integer({ min: 1, max: 9 }), phase);
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (items, limit) => {
        const requests = items.map(([day, status], index) => request('shop', `r${index}`, `2026-01-0${day}T00:00:00Z`, { status }));
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const query: Record<string, string> = { limit: String(limit), ...(cursor === undefined ? {} : { cursor }) };
          // What was shown may vanish before the next page is asked for.
          const left = requests.filter(({ metadata }) => !seen.includes(metadata.name));
          const page = pageOf(
            left,
            readUpdatesQuery((name) => query[name]),
          );
          seen.push(...page.requests.map(({ metadata }) => metadata.name));
          cursor = page.cursor;
        } while (cursor !== undefined);
        assert.deepEqual(seen, names({}, requests));
      }),
    );
  });

  it('counts everything that matches, not only the page', () => {
    const { total, requests, cursor } = pageOf(
      all,
      readUpdatesQuery((name) => ({ phase: 'Pending', limit: '2' })[name]),
    );
    assert.deepEqual([total, requests.length, cursor !== undefined], [3, 2, true]);
  });
});
