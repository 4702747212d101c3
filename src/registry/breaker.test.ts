import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBreaker } from './breaker.ts';

function opened() {
  const breaker = createBreaker();
  for (let failures = 1; failures <= 5; failures++) assert.equal(breaker.failed(0), failures === 5);
  return breaker;
}

describe('registry/breaker', () => {
  it('opens after five failures in a row', () => {
    const breaker = createBreaker();
    for (let failures = 1; failures <= 4; failures++) breaker.failed(0);
    breaker.succeeded();
    breaker.failed(0);
    assert.equal(breaker.enter(0), 0);
    assert.equal(opened().enter(1_000), 29_000);
  });

  it('lets one probe pass after half a minute', () => {
    const breaker = opened();
    assert.deepEqual([breaker.enter(30_000), breaker.enter(30_000)], [0, 1_000]);
  });

  it('closes when the probe succeeds', () => {
    const breaker = opened();
    breaker.enter(30_000);
    breaker.succeeded();
    assert.deepEqual([breaker.enter(30_000), breaker.enter(30_000)], [0, 0]);
  });

  it('opens again when the probe fails', () => {
    const breaker = opened();
    breaker.enter(30_000);
    assert.equal(breaker.failed(30_000), false);
    assert.equal(breaker.leftMs(30_000), 30_000);
  });

  it('takes another probe when one says nothing', () => {
    const breaker = opened();
    breaker.enter(30_000);
    breaker.abandoned();
    assert.equal(breaker.enter(30_000), 0);
  });

  it('stays open for half a minute at most, wherever the clock goes', () => assert.equal(opened().leftMs(-1_000_000), 30_000));
});
