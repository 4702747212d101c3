import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { isDigest } from '../core/image-reference.ts';
import { RegistryError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { answerFailure } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { manifestBytes } from './contents.ts';
import { algorithmOf, digestOfBytes, digestOfHead } from './digest.ts';
import type { Reply } from './exchange.ts';
import type { Habits } from './habits.ts';
import { readManifest } from './manifest.ts';
import { manifestAccept } from './media-type.ts';
import type { Ask } from './place.ts';
import { quirksOfAnswer } from './quirks.ts';

/** Gives the digest behind a tag or digest. Throws RegistryError. */
export type ResolveDigest = (call: Call, reference: string) => Promise<{ digest: string }>;

interface ResolveDeps {
  readonly ask: Ask;
  readonly habits: Habits;
  readonly clock: Clock;
  readonly log: Log;
}

interface KnownDigest {
  readonly digest: string;
  /** When the registry said so by more than "not modified". */
  readonly saidAtMs: number;
}

const lifeMs = 24 * 3_600_000;
/** Answers to HEAD that may only mean that HEAD is not served. */
const headRefusals = new Set([400, 404, 405, 501]);

/**
 * HEAD first; GET and our own hash where a registry answers HEAD badly, which is remembered per registry for a day.
 * A tag whose digest is known is asked for "if it is another one".
 */
export function createResolve({ ask, habits, clock, log }: ResolveDeps): ResolveDigest {
  /** (origin, repository, tag, credentials) → digest. */
  const digests = new LRUCache<string, KnownDigest>(atMost(20_000));
  /** Origins that do not understand conditions → since when that is known. */
  const unconditional = new LRUCache<string, number>(atMost(1_000));

  async function resolve(call: Call, reference: string): Promise<{ digest: string }> {
    if (isDigest(reference)) return { digest: await fetchDigest(call, reference, undefined) };
    const key = [call.endpoint.origin, call.repository, reference, call.credentials.fingerprint].join(' ');
    const condition = conditionFor(call, digests.get(key));
    const digest = await fetchDigest(call, reference, condition).catch(async (error: unknown) => {
      if (condition === undefined || !isAboutCondition(error)) throw error;
      const found = await fetchDigest(call, reference, undefined);
      unconditional.set(call.endpoint.origin, clock.now());
      return found;
    });
    if (digest === notModified) return { digest: condition ?? digest };
    digests.set(key, { digest, saidAtMs: clock.now() });
    return { digest };
  }

  /** Once a day there is none: nobody believes "not modified" for ever. */
  function conditionFor({ endpoint }: Call, known: KnownDigest | undefined): string | undefined {
    const refusedAtMs = unconditional.get(endpoint.origin);
    if (refusedAtMs !== undefined && clock.now() - refusedAtMs < lifeMs) return undefined;
    return known && clock.now() - known.saidAtMs < lifeMs ? known.digest : undefined;
  }

  async function fetchDigest(call: Call, reference: string, condition: string | undefined): Promise<string> {
    const habit = habits.methodOf(call.endpoint);
    const head = habit === 'GET' ? undefined : await byHead(call, reference, condition, habit === 'HEAD');
    if (head !== undefined) {
      habits.learn(call.endpoint, 'HEAD');
      return head;
    }
    const digest = await byGet(call, reference, condition);
    // A digest of another algorithm says nothing about tags.
    if (!isDigest(reference)) habits.learn(call.endpoint, 'GET');
    return digest;
  }

  /** Undefined when only a GET can tell. */
  async function byHead(call: Call, reference: string, condition: string | undefined, isReliable: boolean): Promise<string | undefined> {
    const reply = await ask(call, manifestRequest(reference, 'HEAD', condition));
    const { answer, source } = reply;
    if (isUnchanged(reply, condition)) return notModified;
    if (answer.status !== 200) {
      const isMissing = answer.status === 404 && (isReliable || quirksOfAnswer(answer.headers).headIsReliable === true);
      if (headRefusals.has(answer.status) && !isMissing) return undefined;
      throw answerFailure(call, answer, source);
    }
    const head = digestOfHead(answer);
    if ('unsupported' in head) throw unusable(call, reply, 'Unsupported', head.unsupported);
    const { digest } = head;
    if (digest === undefined || !isDigest(reference)) return digest;
    return algorithmOf(digest) === algorithmOf(reference) ? verified(call, reply, digest, reference) : undefined;
  }

  async function byGet(call: Call, reference: string, condition: string | undefined): Promise<string> {
    const reply = await ask(call, manifestRequest(reference, 'GET', condition));
    if (isUnchanged(reply, condition)) return notModified;
    if (reply.answer.status !== 200) throw answerFailure(call, reply.answer, reply.source);
    const manifest = readManifest(reply.answer);
    if ('unsupported' in manifest) throw unusable(call, reply, 'Unsupported', manifest.unsupported);
    if ('broken' in manifest) throw unusable(call, reply, 'Protocol', manifest.broken);
    if (manifest.isDisputed) {
      const { registry } = call.endpoint;
      log.warn({ registry, repository: call.repository, reference }, 'manifest calls itself another kind than its header says');
    }
    const digest = digestOfBytes(reply.answer.body, reference);
    return isDigest(reference) ? verified(call, reply, digest, reference) : digest;
  }

  return resolve;
}

/** In place of a digest: it is the one of the condition. */
const notModified = '';

/** Proxies and servers that take a condition for a mistake. */
function isAboutCondition(error: unknown): boolean {
  return error instanceof RegistryError && [400, 412, 501].includes(error.httpStatus ?? 0);
}

function isUnchanged({ answer }: Reply, condition: string | undefined): boolean {
  return answer.status === 304 && condition !== undefined;
}

function manifestRequest(reference: string, method: 'HEAD' | 'GET', condition: string | undefined) {
  // A compressed manifest has another length, and for a naive server another digest.
  const headers = { accept: manifestAccept, 'accept-encoding': 'identity', ...(condition && { 'if-none-match': `"${condition}"` }) };
  return { method, path: `manifests/${reference}`, headers, maxBytes: manifestBytes } as const;
}

function verified(call: Call, { answer, source }: Reply, found: string, wanted: string): string {
  if (found === wanted) return found;
  throw callFailure(call, 'DigestMismatch', `${call.endpoint.registry} gave another object (${found}) than the digest that was asked for`, {
    httpStatus: answer.status,
    source,
  });
}

function unusable(call: Call, { answer, source }: Reply, code: 'Unsupported' | 'Protocol', what: string): Error {
  return callFailure(call, code, `${call.endpoint.registry} gave ${what}`, { httpStatus: answer.status, source });
}
