import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMeter } from './meter.ts';

describe('registry/meter', () => {
  it('gives the first 50 hosts a label of their own and all others one', () => {
    const labels: string[] = [];
    const ignore = (): void => undefined;
    const meter = createMeter({
      increment: (_, given) => labels.push(given?.['registry'] ?? ''),
      set: ignore,
      observe: ignore,
      reset: ignore,
    });
    for (let host = 1; host <= 60; host++) meter.request(`r${host}`, 'tags', 'ok', 0.1);
    meter.authFailure('r1', 'login');
    meter.authFailure('r60', 'login');
    assert.deepEqual([new Set(labels).size, labels.at(-2), labels.at(-1)], [51, 'r1', 'other']);
  });
});
