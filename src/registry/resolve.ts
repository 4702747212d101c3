import { LRUCache } from 'lru-cache';
import { isDigest } from '../core/image-reference.ts';
import { type Answer, answerFailure } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { digestOfBody, digestOfHead, manifestAccept } from './digest.ts';
import type { Exchange, Reply } from './exchange.ts';
import type { Clock } from '../ports.ts';

/** Gives the digest behind a tag or digest. Throws RegistryError. */
export type ResolveDigest = (call: Call, reference: string) => Promise<{ digest: string }>;

interface Habit {
  readonly method: 'HEAD' | 'GET';
  readonly learntAtMs: number;
}

const habitLifeMs = 24 * 3_600_000;
const manifestBytes = 4 * 1024 * 1024;
/** Answers to HEAD that may only mean that HEAD is not served. */
const headRefusals = new Set([400, 404, 405, 501]);

/** HEAD first; GET and our own hash where a registry answers HEAD badly, which is remembered per registry for a day. */
export function createResolve({ exchange, clock }: { exchange: Exchange; clock: Clock }): ResolveDigest {
  const habits = new LRUCache<string, Habit>({ max: 1_000 });

  function habitOf({ endpoint }: Call): Habit['method'] | undefined {
    if (endpoint.quirks.headIsReliable) return 'HEAD';
    const habit = habits.get(endpoint.origin);
    return habit && clock.now() - habit.learntAtMs < habitLifeMs ? habit.method : undefined;
  }

  function learn(call: Call, method: Habit['method']): void {
    if (habitOf(call) !== method) habits.set(call.endpoint.origin, { method, learntAtMs: clock.now() });
  }

  async function resolve(call: Call, reference: string): Promise<{ digest: string }> {
    const habit = habitOf(call);
    const head = habit === 'GET' ? undefined : await byHead(call, reference, habit === 'HEAD');
    if (head !== undefined) {
      learn(call, 'HEAD');
      return { digest: head };
    }
    const digest = await byGet(call, reference);
    learn(call, 'GET');
    return { digest };
  }

  /** Undefined when only a GET can tell. */
  async function byHead(call: Call, reference: string, isReliable: boolean): Promise<string | undefined> {
    const reply = await exchange(call, manifestRequest(call, reference, 'HEAD'));
    const { answer, source } = reply;
    if (answer.status !== 200) {
      if (headRefusals.has(answer.status) && !(isReliable && answer.status === 404)) return undefined;
      throw answerFailure(call, answer, source);
    }
    const head = digestOfHead(answer);
    if ('unsupported' in head) throw unusable(call, reply, 'Unsupported', head.unsupported);
    const { digest } = head;
    if (digest === undefined || !isDigest(reference)) return digest;
    return algorithmOf(digest) === algorithmOf(reference) ? verified(call, reply, digest, reference) : undefined;
  }

  async function byGet(call: Call, reference: string): Promise<string> {
    const reply = await exchange(call, manifestRequest(call, reference, 'GET'));
    if (reply.answer.status !== 200) throw answerFailure(call, reply.answer, reply.source);
    const body = digestOfBody(reply.answer, reference);
    if ('unsupported' in body) throw unusable(call, reply, 'Unsupported', body.unsupported);
    if ('broken' in body) throw unusable(call, reply, 'Protocol', body.broken);
    return isDigest(reference) ? verified(call, reply, body.digest, reference) : body.digest;
  }

  return resolve;
}

function manifestRequest(call: Call, reference: string, method: 'HEAD' | 'GET') {
  const url = new URL(`/v2/${call.repository}/manifests/${reference}`, call.endpoint.origin);
  // A compressed manifest has another length, and for a naive server another digest.
  const headers = { accept: manifestAccept, 'accept-encoding': 'identity' };
  return { operation: 'resolve', method, url, headers, maxBytes: manifestBytes, directlyNamed: true } as const;
}

function verified(call: Call, { answer, source }: Reply, found: string, wanted: string): string {
  if (found === wanted) return found;
  throw callFailure(call, 'DigestMismatch', `${call.endpoint.registry} gave another object (${found}) than the digest that was asked for`, {
    httpStatus: answer.status,
    source,
  });
}

function unusable(call: Call, reply: { answer: Answer; source: string }, code: 'Unsupported' | 'Protocol', what: string): Error {
  const { answer, source } = reply;
  return callFailure(call, code, `${call.endpoint.registry} gave ${what}`, { httpStatus: answer.status, source });
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}
