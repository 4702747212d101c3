import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from './policy.ts';
import { readSituation } from './situation.ts';

const policy = parsePolicy('minor');
assert.ok(!('invalid' in policy));

const table = [
  // current, chart, read as
  ['1.2.3', false, '1.2.3'],
  [`1.2.3@sha256:${'a'.repeat(64)}`, false, '1.2.3'],
  [`@sha256:${'a'.repeat(64)}`, false, ''],
  ['', false, ''],
  ['1.2_3', false, '1.2_3'],
  ['1.2.3_b', true, '1.2.3+b'],
] as const;

describe('core/situation', () => {
  for (const [current, chart, expected] of table) {
    it(`reads ${chart ? 'chart ' : ''}"${current.slice(0, 20)}" as "${expected}"`, () => {
      const situation = readSituation({ policy, current, tags: [], event: current, chart });
      assert.equal(situation.current, expected);
      if (chart) assert.equal(situation.event, expected);
    });
  }

  const dialects = [
    ['1.2-alpine', {}, true],
    ['1.2-alpine', { strictSemver: true }, false],
    ['01.2.3', { strictSemver: true }, true],
    ['01.2.3', { strictSemver: true, chart: true }, false],
  ] as const;
  for (const [text, options, version] of dialects) {
    it(`${text} is ${version ? 'a' : 'no'} version with ${JSON.stringify(options)}`, () => {
      assert.equal(readSituation({ policy, current: '1', tags: [], ...options }).parse(text) !== undefined, version);
    });
  }
});
