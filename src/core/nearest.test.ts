import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationTable } from './annotation-table.ts';
import { nearest } from './nearest.ts';

describe('core/nearest', () => {
  const known = Object.keys(annotationTable);
  const table: readonly (readonly [string, string | undefined])[] = [
    ['policy', 'policy'],
    ['polici', 'policy'],
    ['Policy', 'policy'],
    ['requre-approval', 'require-approval'],
    ['required-approval', 'require-approval'],
    ['min-update-intervall', 'min-update-interval'],
    ['eventsource', 'event-source'],
    ['image', 'images'],
    ['plocy', undefined],
    ['ploicy', 'policy'],
    ['oredr', 'order'],
    ['patern', 'pattern'],
    ['auto-rolback', 'auto-rollback'],
    ['', undefined],
    ['x', undefined],
    ['window', undefined],
    ['something-else-entirely', undefined],
  ];
  for (const [word, meant] of table) {
    it(`${JSON.stringify(word)} means ${meant ?? 'nothing known'}`, () => assert.equal(nearest(word, known), meant));
  }

  it('among none there is none', () => assert.equal(nearest('policy', []), undefined));
  it('of two that are as near the first counts', () => assert.equal(nearest('web-x', ['web-a', 'web-b']), 'web-a'));
});
