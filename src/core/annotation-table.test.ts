import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationPrefix, annotationTable } from './annotation-table.ts';

// The contract: names and defaults do not change.
const defaults: Readonly<Record<string, string>> = {
  policy: 'none',
  pattern: 'none',
  'require-approval': 'true',
  'min-update-interval': '300',
  images: 'all',
  'event-source': 'webhook',
  'polling-interval': 'the global interval',
  'auto-rollback': 'false',
  'rollback-timeout': '300',
  'health-check-retries': '3',
};
const forTheWholeWorkload = ['delete-pods', 'images', 'auto-rollback', 'rollback-timeout', 'health-check-retries', 'dry-run'];

describe('core/annotation-table', () => {
  it('begins with headwind.sh/', () => assert.equal(annotationPrefix, 'headwind.sh/'));

  for (const [key, value] of Object.entries(defaults)) {
    it(`${key} is known and defaults to ${value}`, () => {
      assert.equal(Object.entries(annotationTable).find(([name]) => name === key)?.[1].default, value);
    });
  }

  it('last-update, update-history and digests are written, the rest is read', () => {
    const written = Object.entries(annotationTable).flatMap(([key, { access }]) => (access === 'written' ? [key] : []));
    assert.deepEqual(written, ['last-update', 'update-history', 'digests']);
  });

  it('all that is read may be overridden per container, but what concerns the workload', () => {
    const whole = Object.entries(annotationTable).flatMap(([key, { access, perContainer }]) =>
      access === 'read' && !perContainer ? [key] : [],
    );
    assert.deepEqual(whole.sort(), forTheWholeWorkload.sort());
  });

  it('every row says what it means and accepts, and a key with a container of 39 characters still fits the 63 of Kubernetes', () => {
    for (const [key, row] of Object.entries(annotationTable)) {
      assert.ok(row.meaning !== '' && row.accepts !== '', key);
      assert.ok(key.length <= 63 - 1 - 39, key);
    }
  });
});
