import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSingleFlight } from './single-flight.ts';

const signal = new AbortController().signal;

describe('registry/single-flight', () => {
  it('runs once for all who ask meanwhile, and anew afterwards', async () => {
    let [runs, joins] = [0, 0];
    const flights = createSingleFlight<number>(() => joins++);
    const ask = (key: string) => flights.run(key, signal, () => Promise.resolve(++runs));
    assert.deepEqual(await Promise.all([ask('a'), ask('a'), ask('b')]), [1, 1, 2]);
    assert.equal(await ask('a'), 3);
    assert.equal(joins, 1);
  });

  it('shares a failure', async () => {
    const flights = createSingleFlight<number>(() => undefined);
    const ask = () => flights.run('a', signal, () => Promise.reject(new Error('no')));
    const outcomes = await Promise.allSettled([ask(), ask()]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  it('goes on for the others when one gives up, and ends when all have', async () => {
    const flights = createSingleFlight<number>(() => undefined);
    const inner: AbortSignal[] = [];
    const [one, two] = [new AbortController(), new AbortController()];
    const ask = ({ signal }: AbortController) =>
      flights.run('a', signal, (shared) => {
        inner.push(shared);
        return new Promise((_, reject) => shared.addEventListener('abort', () => reject(shared.reason)));
      });
    const [first, second] = [ask(one), ask(two)];
    one.abort(new Error('first'));
    await assert.rejects(first, /first/);
    assert.deepEqual([inner.length, inner[0]!.aborted], [1, false]);
    two.abort(new Error('second'));
    await assert.rejects(second, /second/);
    assert.equal(inner[0]!.aborted, true);
    await assert.rejects(ask(one), /first/);
  });

  it('starts anew for those who come after all have given up', async () => {
    const flights = createSingleFlight<string>(() => undefined);
    const controller = new AbortController();
    const first = flights.run('a', controller.signal, () => new Promise(() => undefined));
    controller.abort(new Error('enough'));
    assert.equal(await flights.run('a', signal, () => Promise.resolve('new')), 'new');
    await assert.rejects(first, /enough/);
  });

  it('ends everything at once', async () => {
    const flights = createSingleFlight<number>(() => undefined);
    const result = flights.run(
      'a',
      signal,
      (shared) => new Promise((_, reject) => shared.addEventListener('abort', () => reject(shared.reason))),
    );
    flights.abort(new Error('closed'));
    await assert.rejects(result, /closed/);
  });
});
