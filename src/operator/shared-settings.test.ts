import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Workload } from '../core/workload.ts';
import { aWorkload } from '../../test/builders.ts';
import { SharedSettings } from './shared-settings.ts';

const slot = { container: 'web', image: 'nginx:1', init: false };

describe('operator/shared-settings', () => {
  const usual: Partial<Workload> = { annotations: { 'headwind.sh/policy': 'minor' }, slots: [slot] };
  const cases: readonly { readonly name: string; readonly other: Partial<Workload>; readonly shares: boolean }[] = [
    { name: 'another workload that says the same', other: { ...usual, name: 'other' }, shares: true },
    { name: 'another image', other: { ...usual, slots: [{ ...slot, image: 'redis:7' }] }, shares: true },
    {
      name: 'what the operator wrote',
      other: { ...usual, annotations: { ...usual.annotations, 'headwind.sh/last-update': '2026-01-15T10:00:00Z' } },
      shares: true,
    },
    { name: 'another value', other: { ...usual, annotations: { 'headwind.sh/policy': 'major' } }, shares: false },
    { name: 'one more annotation', other: { ...usual, annotations: { ...usual.annotations, 'headwind.sh/adopt': 'true' } }, shares: false },
    {
      name: 'an unknown annotation, which is a problem to be told',
      other: { ...usual, annotations: { ...usual.annotations, 'headwind.sh/polcy': 'x' } },
      shares: false,
    },
    { name: 'another container', other: { ...usual, slots: [{ ...slot, container: 'app' }] }, shares: false },
  ];

  for (const { name, other, shares } of cases) {
    it(`${name}: ${shares ? 'the same object' : 'read anew'}`, () => {
      const settings = new SharedSettings();
      const [first, second] = [settings.of(aWorkload(usual)), settings.of(aWorkload(other))];
      assert.equal(first === second, shares);
      assert.equal(
        second.problems.length > 0,
        Object.keys(other.annotations ?? {}).some((key) => key === 'headwind.sh/polcy'),
      );
    });
  }
});
