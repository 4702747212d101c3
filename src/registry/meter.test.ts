import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMeter } from './meter.ts';

function setUp(isKnown?: (registry: string) => boolean) {
  const labels: string[] = [];
  const gauges: string[] = [];
  const ignore = (): void => undefined;
  const metrics = {
    increment: (_: string, given?: Readonly<Record<string, string>>) => void labels.push(given?.['registry'] ?? ''),
    set: (name: string, value: number, given?: Readonly<Record<string, string>>) =>
      void gauges.push(`${name} ${given?.['registry']} ${value}`),
    observe: ignore,
    reset: ignore,
  };
  return { meter: createMeter(metrics, isKnown), labels, gauges };
}

describe('registry/meter', () => {
  it('gives the first 50 hosts a label of their own and all others one', () => {
    const { meter, labels } = setUp();
    for (let host = 1; host <= 60; host++) meter.request(`r${host}`, 'tags', 'ok', 0.1);
    meter.authFailure('r1', 'login');
    meter.authFailure('r60', 'login');
    assert.deepEqual([new Set(labels).size, labels.at(-2), labels.at(-1)], [51, 'r1', 'other']);
  });

  it('keeps labels for registries that are known, however many others a tenant names', () => {
    const { meter, labels } = setUp((registry) => registry === 'ghcr.io');
    for (let host = 1; host <= 1_000; host++) meter.request(`r${host}`, 'tags', 'ok', 0.1);
    meter.request('ghcr.io', 'tags', 'ok', 0.1);
    assert.deepEqual([new Set(labels).size, labels.at(-1)], [37, 'ghcr.io']);
  });

  it('sets gauges for registries with a label of their own only', () => {
    const { meter, gauges } = setUp((registry) => registry === 'ghcr.io');
    for (let host = 1; host <= 40; host++) meter.request(`r${host}`, 'tags', 'ok', 0.1);
    meter.quota('ghcr.io', 76);
    meter.quota('r40', 1);
    meter.coolDown('r1', 1_500);
    assert.deepEqual(gauges, ['registry_ratelimit_remaining ghcr.io 76', 'registry_cool_down_until_seconds r1 2']);
  });
});
