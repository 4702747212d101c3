import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingLog } from '../../test/fakes/recording.ts';
import { FakeLeaseServer, type LeaseFaults } from '../../test/fakes/lease-server.ts';
import { FreezableTiming, VirtualTiming } from '../../test/fakes/virtual-timing.ts';
import { ApiError } from '../errors.ts';
import type { Metrics } from '../ports.ts';
import { LeaderElection, type Observed, type Term } from './leader-election.ts';

const nothing = () => undefined;

interface Write {
  readonly candidate: string;
  readonly term: number;
  readonly at: number;
}

/** Several candidates for one Lease in virtual time; whoever leads writes every 10 ms. */
class Arena {
  readonly timing = new VirtualTiming();
  readonly server = new FakeLeaseServer(this.timing);
  readonly writes: Write[] = [];
  #terms = 0;

  candidate(identity: string, { faults = {}, clockSkewMs = 0, drainWorkMs = 0 }: CandidateOptions = {}) {
    const stop = new AbortController();
    const timing = new FreezableTiming(this.timing);
    const observed: Observed[] = [];
    const gauge: number[] = [];
    const log = new RecordingLog();
    const metrics: Metrics = { increment: nothing, set: (_name, value) => gauge.push(value), observe: nothing, reset: nothing };
    const election = new LeaderElection({
      api: this.server.seenBy(faults),
      identity,
      namespace: 'headwind-system',
      clock: { now: () => Date.parse('2026-01-15T10:00:00Z') + clockSkewMs + timing.now() },
      log,
      metrics,
      address: () => `http://${identity}:8080`,
      onObserve: (observation) => observed.push(observation),
      durationMs: 1_500,
      renewDeadlineMs: 1_000,
      retryMs: 200,
      drainMs: 2_000,
      timing,
      random: () => 0.5,
    });
    const lead = async (term: Term) => {
      const number = ++this.#terms;
      const until = drainWorkMs > 0 ? term.lost : term.stopping;
      let left = drainWorkMs;
      while (!until.aborted && (!term.stopping.aborted || left > 0)) {
        try {
          term.assertHeld();
        } catch {
          return;
        }
        this.writes.push({ candidate: identity, term: number, at: this.timing.now() });
        await timing.sleep(10, until);
        if (term.stopping.aborted) left -= 10;
      }
    };
    const running = election.run(stop.signal, lead);
    return { election, stop: () => stop.abort(), running, faults, timing, observed, gauge, log };
  }

  leaders(): string[] {
    return this.writes.map(({ candidate }) => candidate).filter((name, i, all) => name !== all[i - 1]);
  }

  /** A write of an older term after one of a newer term. */
  overlaps(): Write[] {
    let newest = 0;
    return this.writes.filter(({ term }) => {
      newest = Math.max(newest, term);
      return term < newest;
    });
  }

  lastWriteOf(candidate: string): number {
    return this.writes.findLast((write) => write.candidate === candidate)?.at ?? Number.NaN;
  }

  firstWriteOf(candidate: string): number {
    return this.writes.find((write) => write.candidate === candidate)?.at ?? Number.NaN;
  }

  async end(...candidates: { stop: () => void; running: Promise<void> }[]): Promise<void> {
    for (const { stop } of candidates) stop();
    await this.timing.advance(10_000);
    await Promise.all(candidates.map(({ running }) => running));
  }
}

interface CandidateOptions {
  faults?: LeaseFaults;
  clockSkewMs?: number;
  /** How long its work goes on after it was asked to stop. */
  drainWorkMs?: number;
}

describe('kubernetes/leader-election', () => {
  it('the first of three candidates leads, the others observe its address', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    const b = arena.candidate('b');
    const c = arena.candidate('c');
    await arena.timing.advance(3_000);
    assert.deepEqual(arena.leaders(), ['a']);
    assert.deepEqual(b.observed, [{ holder: 'a', address: 'http://a:8080', isMine: false }]);
    assert.deepEqual(a.observed, [{ holder: 'a', address: 'http://a:8080', isMine: true }]);
    assert.deepEqual(a.gauge, [1]);
    assert.equal(c.election.isLeading, false);
    assert.deepEqual(
      [a.log, b.log].map(({ lines }) => lines.map(({ level, message }) => `${level} ${message}`)),
      [['info leading'], ['info standing by: a leads']],
    );
    await arena.end(b, c, a);
  });

  it('a clean stop hands over within one retry', async () => {
    const arena = new Arena();
    const a = arena.candidate('a', { faults: { latencyMs: 4 } });
    const b = arena.candidate('b', { faults: { latencyMs: 4 }, clockSkewMs: -3_600_000 });
    const c = arena.candidate('c', { faults: { latencyMs: 4 }, clockSkewMs: 3_600_000 });
    await arena.timing.advance(1_000);
    const stoppedAt = arena.timing.now();
    a.stop();
    await arena.timing.advance(1_000);
    const [, successor] = arena.leaders();
    assert.ok(successor);
    const handOverMs = arena.firstWriteOf(successor) - stoppedAt;
    assert.ok(handOverMs <= 200, `${handOverMs} ms`);
    assert.equal(arena.server.lease?.spec?.leaseTransitions, 1);
    assert.deepEqual(a.gauge, [1, 0]);
    await arena.end(a, b, c);
    assert.equal(arena.server.lease?.spec?.holderIdentity, '');
    assert.equal(arena.server.lease?.spec?.leaseDurationSeconds, 1);
    assert.equal(arena.server.lease?.metadata.annotations?.['headwind.sh/address'], undefined);
    assert.deepEqual(arena.overlaps(), []);
  });

  it('the work may finish after a stop, and the Lease is renewed until then', async () => {
    const arena = new Arena();
    const a = arena.candidate('a', { drainWorkMs: 1_800 });
    const b = arena.candidate('b');
    await arena.timing.advance(1_000);
    a.stop();
    await arena.timing.advance(1_700);
    assert.deepEqual(arena.leaders(), ['a']);
    await arena.timing.advance(1_000);
    assert.deepEqual(arena.leaders(), ['a', 'b']);
    assert.deepEqual(arena.overlaps(), []);
    await arena.end(a, b);
  });

  it('work that does not finish is told to end', async () => {
    const arena = new Arena();
    const a = arena.candidate('a', { drainWorkMs: 60_000 });
    await arena.timing.advance(1_000);
    a.stop();
    await arena.timing.advance(2_500);
    await a.running;
    assert.ok(Math.abs(arena.lastWriteOf('a') - 3_000) <= 20);
  });

  it('a leader that is cut off ends before another begins, about 1.5 s later', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    const b = arena.candidate('b');
    const c = arena.candidate('c');
    await arena.timing.advance(1_000);
    a.faults.isCutOff = true;
    const cutAt = arena.timing.now();
    await arena.timing.advance(3_000);
    const [, successor] = arena.leaders();
    const takeOverMs = arena.firstWriteOf(successor!) - cutAt;
    assert.ok(takeOverMs > 1_200 && takeOverMs <= 1_800, `${takeOverMs} ms`);
    assert.ok(arena.lastWriteOf('a') - cutAt <= 1_000);
    assert.equal(a.election.isLeading, false);
    assert.deepEqual(arena.overlaps(), []);
    a.faults.isCutOff = false;
    await arena.timing.advance(1_000);
    assert.equal(a.observed.at(-1)?.holder, successor);
    await arena.end(a, b, c);
  });

  it('survives API errors and conflicts during renewal', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    const b = arena.candidate('b');
    await arena.timing.advance(500);
    a.faults.errors = [new ApiError(500, 'InternalError', 'etcd'), new ApiError(409, 'Conflict', 'modified'), new ApiError(0, '', 'reset')];
    await arena.timing.advance(3_000);
    assert.deepEqual(arena.leaders(), ['a']);
    assert.deepEqual(a.gauge, [1]);
    await arena.end(b, a);
  });

  it('a renewal whose answer was lost is found out by reading', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    await arena.timing.advance(500);
    a.faults.lostAnswers = 1;
    await arena.timing.advance(5_000);
    assert.equal(a.election.isLeading, true);
    assert.equal(arena.server.lease?.spec?.leaseTransitions, 0);
    await arena.end(a);
  });

  it('a frozen leader that wakes up writes nothing', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    const b = arena.candidate('b');
    await arena.timing.advance(1_000);
    a.timing.freeze();
    const frozenAt = arena.timing.now();
    await arena.timing.advance(4_000);
    assert.deepEqual(arena.leaders(), ['a', 'b']);
    assert.equal(a.election.isStuck, true);
    a.timing.thaw();
    await arena.timing.advance(2_000);
    assert.deepEqual(arena.leaders(), ['a', 'b']);
    assert.ok(arena.lastWriteOf('a') <= frozenAt);
    assert.equal(a.election.isStuck, false);
    await arena.end(a, b);
  });

  it('work that ends by itself gives the Lease back', async () => {
    const arena = new Arena();
    const metrics: Metrics = { increment: nothing, set: nothing, observe: nothing, reset: nothing };
    const { timing, server } = arena;
    const election = new LeaderElection({
      api: server.seenBy(),
      identity: 'x',
      namespace: 'n',
      clock: { now: () => 0 },
      log: new RecordingLog(),
      metrics,
      timing,
    });
    const stop = new AbortController();
    let terms = 0;
    const running = election.run(stop.signal, () => {
      terms += 1;
      return Promise.reject(new Error('the work failed'));
    });
    await timing.advance(10_000);
    assert.ok(terms > 1 && terms < 8, `${terms} terms`);
    stop.abort();
    await running;
  });

  it('a leader renews with one request and never reads', async () => {
    const arena = new Arena();
    const a = arena.candidate('a');
    await arena.timing.advance(500);
    arena.server.calls.length = 0;
    await arena.timing.advance(2_000);
    assert.deepEqual(new Set(arena.server.calls), new Set(['update']));
    assert.equal(arena.server.calls.length, 10);
    await arena.end(a);
  });

  it('a missing namespace is a sentence for readiness, and is looked for again', async () => {
    const arena = new Arena();
    arena.server.hasNamespace = false;
    const a = arena.candidate('a');
    await arena.timing.advance(500);
    assert.match(a.election.problem ?? '', /namespace headwind-system does not exist/);
    arena.server.hasNamespace = true;
    await arena.timing.advance(500);
    assert.equal(a.election.problem, undefined);
    assert.equal(a.election.isLeading, true);
    await arena.end(a);
  });

  it('a missing right is a sentence for readiness', async () => {
    const arena = new Arena();
    const a = arena.candidate('a', { faults: { errors: [new ApiError(403, 'Forbidden', 'User "x" cannot get leases')] } });
    await arena.timing.advance(10);
    assert.match(a.election.problem ?? '', /right to its leases is missing \(User "x" cannot get leases\)/);
    await arena.end(a);
  });

  it('the same failure again and again is told once', async () => {
    const arena = new Arena();
    arena.server.hasNamespace = false;
    const a = arena.candidate('a');
    await arena.timing.advance(2_000);
    const levels = a.log.lines.map(({ level }) => level);
    assert.deepEqual([levels[0], new Set(levels.slice(1))], ['warn', new Set(['debug'])]);
    await arena.end(a);
  });

  it('two never lead at once: 25 runs with faults at random', async () => {
    for (let seed = 1; seed <= 25; seed++) await runWithFaults(seed);
  });
});

async function runWithFaults(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const arena = new Arena();
  const candidates = ['a', 'b', 'c'].map((name) =>
    arena.candidate(name, { faults: { latencyMs: random() * 40 }, clockSkewMs: random() * 1e7 }),
  );
  for (let step = 0; step < 12; step++) {
    const candidate = candidates[Math.floor(random() * candidates.length)]!;
    const fault = Math.floor(random() * 4);
    if (fault === 0) candidate.faults.isCutOff = candidate.faults.isCutOff !== true;
    if (fault === 1) candidate.faults.lostAnswers = 2;
    if (fault === 2) candidate.faults.errors = [new ApiError(409, 'Conflict', ''), new ApiError(500, '', '')];
    if (fault === 3) {
      candidate.timing.freeze();
      await arena.timing.advance(random() * 3_000);
      candidate.timing.thaw();
    }
    await arena.timing.advance(random() * 2_000);
  }
  assert.deepEqual(arena.overlaps(), [], `seed ${seed}`);
  for (const { faults } of candidates) faults.isCutOff = false;
  await arena.end(...candidates);
}

/** mulberry32 */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
