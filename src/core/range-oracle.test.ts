import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compare, satisfies } from 'semver';
import { compareTags } from './order.ts';
import { parseRange, rangeAccepts } from './range.ts';
import { parseStrictSemver } from './strict-semver.ts';
import type { Tag } from './tag.ts';

// What both dialects say the same of: stable versions, no commas, `!=`, `=>`, `=<`, `~0.0.0` or prereleases in the range;
// and `>*` and `<*`, which accept nothing in npm.
const number = fc.integer({ min: 0, max: 3 }).map(String);
const wildcard = fc.constantFrom('x', 'X', '*');
const partial = fc.oneof(
  { weight: 4, arbitrary: fc.array(number, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.tuple(fc.array(number, { minLength: 1, maxLength: 2 }), wildcard).map(([numbers, x]) => [...numbers, x]) },
);
const text = partial.map((parts) => parts.join('.'));
const operator = fc.constantFrom('', '=', '>', '<', '>=', '<=', '~', '~>', '^');
const space = fc.constantFrom('', ' ');
const term = fc
  .tuple(operator, space, text)
  .filter(([op, , version]) => !((op === '~' || op === '~>') && version === '0.0.0'))
  .map((parts) => parts.join(''));
const group = fc.oneof(
  { weight: 6, arbitrary: fc.array(term, { minLength: 1, maxLength: 3 }).map((terms) => terms.join(' ')) },
  { weight: 1, arbitrary: fc.tuple(text, text).map(([from, to]) => `${from} - ${to}`) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'x', '^*', '~*', '<=*', '>=*') },
);
const range = fc.array(group, { minLength: 1, maxLength: 3 }).map((groups) => groups.join(' || '));
const stable = fc.tuple(number, number, number).map((parts) => parts.join('.'));

const identifier = fc.constantFrom('0', '1', '2', '10', 'a', 'rc', 'RC', 'alpha', '-1', '1a', 'x-y');
const anyVersion = fc
  .tuple(stable, fc.array(identifier, { maxLength: 3 }), fc.constantFrom('', '+b'))
  .map(([core, pre, build]) => core + (pre.length > 0 ? `-${pre.join('.')}` : '') + build);

describe('core/range-oracle', () => {
  it('says of stable versions what npm says, where the dialects agree', () => {
    const check = fc.property(range, stable, (written, version) => {
      const parsed = parseRange(written);
      assert.ok(!('invalid' in parsed), 'invalid' in parsed ? parsed.invalid : '');
      const ours = rangeAccepts(parsed, { core: read(version).core, pre: [] }, { allowPrerelease: false });
      assert.equal(ours, satisfies(version, written), `${version} in ${written}`);
    });
    fc.assert(check, { seed: 7, numRuns: 15_000 });
  });

  it('orders versions as npm does', () => {
    const check = fc.property(anyVersion, anyVersion, (a, b) => {
      assert.equal(Math.sign(compareTags(read(a), read(b))), compare(a, b), `${a} and ${b}`);
    });
    fc.assert(check, { seed: 7, numRuns: 15_000 });
  });
});

function read(version: string): Tag {
  return parseStrictSemver(version, { leadingZeros: false }) ?? assert.fail(version);
}
