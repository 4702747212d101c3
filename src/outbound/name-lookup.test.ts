import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resolve } from './addresses.ts';
import { createNameLookup } from './name-lookup.ts';

const addresses = [{ address: '192.0.2.1', family: 4 }];

/** Answers when told to. */
function setUp() {
  const asked = new Map<string, Parameters<Resolve>[1]>();
  const order: string[] = [];
  const clock = { ms: 0 };
  const lookup = createNameLookup(
    (hostname, done) => {
      assert.ok(!asked.has(hostname), `${hostname} is asked for twice at once`);
      asked.set(hostname, done);
      order.push(hostname);
    },
    () => clock.ms,
  );
  const answers: string[] = [];
  const want = (hostname: string) => lookup(hostname, (error) => answers.push(`${hostname} ${error === null ? 'found' : error.code}`));
  const answer = (hostname: string, code?: string) => {
    const done = asked.get(hostname);
    asked.delete(hostname);
    done?.(code === undefined ? null : Object.assign(new Error(code), { code }), code === undefined ? addresses : []);
  };
  const makeGood = (hostname: string) => {
    want(hostname);
    answer(hostname);
  };
  return { want, answer, makeGood, answers, order, clock, waitingFor: () => [...asked.keys()] };
}

describe('outbound/name-lookup', () => {
  it('asks once for a name that many want, and again for the next connection', () => {
    const { want, answer, answers, order } = setUp();
    for (let caller = 1; caller <= 16; caller++) want('a.test');
    answer('a.test');
    want('a.test');
    assert.deepEqual([answers.length, order], [16, ['a.test', 'a.test']]);
  });

  it('names that were never found leave threads to those that were', () => {
    const { want, answer, makeGood, waitingFor, answers } = setUp();
    for (const name of ['good1', 'good2', 'good3']) makeGood(name);
    for (let name = 1; name <= 100; name++) want(`hanging${name}.test`);
    assert.deepEqual(waitingFor(), ['hanging1.test', 'hanging2.test']);
    for (const name of ['good1', 'good2', 'good3']) want(name);
    assert.deepEqual(waitingFor().slice(2), ['good1', 'good2', 'good3']);
    for (const name of ['good1', 'good2', 'good3']) answer(name);
    assert.equal(answers.length, 6);
  });

  it('a name that kept somebody waiting waits for others like it, until it is found quickly', () => {
    const { want, answer, clock, waitingFor } = setUp();
    for (const name of ['a', 'b']) want(name);
    clock.ms += 10_000;
    for (const name of ['a', 'b']) answer(name, 'EAI_AGAIN');
    for (const name of ['a', 'b', 'new1', 'new2']) want(name);
    assert.deepEqual(waitingFor(), ['a', 'new1', 'new2']);
    answer('a');
    assert.deepEqual(waitingFor(), ['new1', 'new2', 'b']);
    want('a');
    assert.deepEqual(waitingFor(), ['new1', 'new2', 'b', 'a']);
  });

  it('a name that does not exist is told at once, and next time too', () => {
    const { want, answer, answers } = setUp();
    for (let tries = 1; tries <= 2; tries++) {
      want('nowhere.test');
      answer('nowhere.test', 'ENOTFOUND');
    }
    assert.deepEqual(answers, ['nowhere.test ENOTFOUND', 'nowhere.test ENOTFOUND']);
  });

  it('the queue has an end', () => {
    const { want, answers } = setUp();
    for (let name = 1; name <= 1_003; name++) want(`name${name}.test`);
    assert.deepEqual(answers, ['name1003.test EAI_AGAIN']);
  });
});
