import { LRUCache } from 'lru-cache';
import type { Resolve, ResolvedAddress } from './addresses.ts';

type Done = Parameters<Resolve>[1];
/** What is known of a name: it was found quickly, nobody asked for it yet, or it kept somebody waiting for nothing. */
type Standing = 'good' | 'unknown' | 'slow';

const slowMs = 3_000;
const mostKnown = 5_000;
const mostWaiting = 1_000;
/** Of the four threads that Node resolves names with, one at least stays for names that are known to be good. */
const atOnce: Readonly<Record<Standing, number>> = { good: Number.POSITIVE_INFINITY, unknown: 2, slow: 1 };

/**
 * Resolves names so that those which never answer do not keep the threads from the others: a name is asked for once at a time whoever wants it,
 * and names without a good history wait for each other. Nothing is kept: each new connection asks again.
 */
export function createNameLookup(resolve: Resolve, nowMs: () => number = () => performance.now()): Resolve {
  const standings = new LRUCache<string, Standing>({ maxSize: mostKnown, sizeCalculation: () => 1 });
  const underWay = new Map<string, Done[]>();
  const running: Record<Standing, number> = { good: 0, unknown: 0, slow: 0 };
  const waiting: Record<Standing, string[]> = { good: [], unknown: [], slow: [] };

  function standingOf(hostname: string): Standing {
    return standings.get(hostname) ?? 'unknown';
  }

  function start(hostname: string, standing: Standing): void {
    running[standing]++;
    const startedAtMs = nowMs();
    resolve(hostname, (error, addresses) => {
      const tookMs = nowMs() - startedAtMs;
      standings.set(hostname, tookMs >= slowMs ? 'slow' : error === null ? 'good' : 'unknown');
      running[standing]--;
      finish(hostname, error, addresses);
      startNext(standing);
    });
  }

  function startNext(standing: Standing): void {
    if (running[standing] >= atOnce[standing]) return;
    const hostname = waiting[standing].shift();
    if (hostname !== undefined) start(hostname, standing);
  }

  function finish(hostname: string, error: NodeJS.ErrnoException | null, addresses: readonly ResolvedAddress[]): void {
    const callers = underWay.get(hostname) ?? [];
    underWay.delete(hostname);
    for (const done of callers) done(error, addresses);
  }

  return (hostname, done) => {
    const callers = underWay.get(hostname);
    if (callers) return void callers.push(done);
    const standing = standingOf(hostname);
    const mustWait = running[standing] >= atOnce[standing];
    if (mustWait && waiting[standing].length >= mostWaiting) return done(tooMany(hostname), []);
    underWay.set(hostname, [done]);
    if (mustWait) waiting[standing].push(hostname);
    else start(hostname, standing);
  };
}

function tooMany(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} cannot be resolved now: too many other names are waited for`), { code: 'EAI_AGAIN' });
}
