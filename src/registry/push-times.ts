import { isDigest, isTag } from '../core/image-reference.ts';
import { RegistryError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type Answer, answerFailure, codeOfAnswer } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { startDeadline } from './deadline.ts';
import type { Exchange, Reply } from './exchange.ts';
import { followLink } from './follow-link.ts';
import { isJsonObject, parseJsonObject } from './json.ts';
import { parseNextLink } from './link.ts';
import type { PushTimesSource } from './quirks.ts';
import type { Send } from './send.ts';

/** A tag as a registry tells of it beside the ordinary list. */
export interface PushedTag {
  readonly tag: string;
  readonly pushedAtMs: number;
  readonly digest: string | undefined;
}

export interface PushTimes {
  readonly tags: readonly PushedTag[];
  /** A limit ended the list. */
  readonly truncated: boolean;
}

/** When tags were pushed; undefined where the registry does not tell, or not with these credentials. Throws RegistryError. */
export type ReadPushTimes = (call: Call) => Promise<PushTimes | undefined>;

interface PushTimesDeps {
  readonly exchange: Exchange;
  readonly send: Send;
  readonly clock: Clock;
  readonly totalMs: number;
}

const limits = { pages: 100, tags: 10_000, pageBytes: 16 * 1024 * 1024 };
/** Reproducible builds and clocks that are wrong. */
const firstPushMs = Date.UTC(2013, 0, 1);
const dayMs = 24 * 3_600_000;
const noAccess = new Set(['Unauthorized', 'Denied', 'NotFound']);

export function createPushTimes({ exchange, send, clock, totalMs }: PushTimesDeps): ReadPushTimes {
  async function read(call: Call): Promise<PushTimes | undefined> {
    const source = call.endpoint.quirks.pushTimes;
    if (!source) return undefined;
    const deadline = startDeadline(totalMs, call.signal);
    try {
      return await readPages({ ...call, signal: deadline.signal }, source);
    } catch (error) {
      if (error instanceof RegistryError && noAccess.has(error.code)) return undefined;
      if (!deadline.isOver() || call.signal.aborted) throw error;
      throw callFailure(call, 'Timeout', `${call.endpoint.registry} did not tell within ${totalMs / 1000} s`, { cause: error });
    } finally {
      deadline.end();
    }
  }

  async function readPages(call: Call, source: PushTimesSource): Promise<PushTimes> {
    const found = new Map<string, PushedTag>();
    let url = new URL(source.page(call.repository, 1), call.endpoint.origin);
    for (let page = 1; ; page++) {
      const reply = await ask(call, source, url);
      const body = reply.answer.status === 200 ? parseJsonObject(reply.answer.body) : undefined;
      if (reply.answer.status !== 200) throw answerFailure(call, reply.answer, reply.source);
      if (!body) throw callFailure(call, 'Protocol', `${call.endpoint.registry} answered with something that is not a list of tags`);
      for (const tag of readEntries(body, source, clock.now() + dayMs)) found.set(tag.tag, tag);
      const next = nextPage(call, source, { reply, body, asked: url, page });
      const isOver = page >= limits.pages || found.size > limits.tags;
      if (!next || isOver)
        return { tags: [...found.values()].slice(0, limits.tags), truncated: next !== undefined || found.size > limits.tags };
      url = next;
    }
  }

  async function ask(call: Call, { withLogin }: PushTimesSource, url: URL): Promise<Reply> {
    const headers = { accept: 'application/json' };
    const request = { operation: 'created', method: 'GET', url, headers, maxBytes: limits.pageBytes } as const;
    if (withLogin) return await exchange(call, { ...request, directlyNamed: true });
    return { answer: throwThrottled(call, await send(call, request)), source: 'anonymous' };
  }

  return read;
}

function throwThrottled(call: Call, answer: Answer): Answer {
  if (codeOfAnswer(call, answer) === 'RateLimited') throw answerFailure(call, answer);
  return answer;
}

interface ReadPage {
  readonly reply: Reply;
  readonly body: Readonly<Record<string, unknown>>;
  readonly asked: URL;
  readonly page: number;
}

/** A page that a body names is computed here: only its number is believed. */
function nextPage(call: Call, { next, page: pageOf }: PushTimesSource, { reply, body, asked, page }: ReadPage): URL | undefined {
  if (next === 'none') return undefined;
  if (next !== 'link') return body[next.member] ? new URL(pageOf(call.repository, page + 1), call.endpoint.origin) : undefined;
  const link = parseNextLink(reply.answer.headers['link']);
  const url = link === undefined ? undefined : followLink(call, reply, link, asked);
  return url?.href === asked.href ? undefined : url;
}

interface Entry {
  readonly tag: unknown;
  readonly digest: unknown;
  readonly members: Readonly<Record<string, unknown>>;
}

function readEntries(body: Readonly<Record<string, unknown>>, source: PushTimesSource, latestMs: number): readonly PushedTag[] {
  return entriesOf(body[source.list], source).flatMap(({ tag, digest, members }) => {
    const pushedAtMs = readTime(members[source.time], source.unit);
    if (typeof tag !== 'string' || !isTag(tag) || !(pushedAtMs >= firstPushMs && pushedAtMs <= latestMs)) return [];
    return [{ tag, pushedAtMs, digest: typeof digest === 'string' && isDigest(digest) ? digest : undefined }];
  });
}

/** Of a list its objects; of a map by digest one entry for each tag. */
function entriesOf(list: unknown, { digest = '' }: PushTimesSource): readonly Entry[] {
  if (Array.isArray(list)) return list.filter(isJsonObject).map((members) => ({ tag: members['name'], digest: members[digest], members }));
  if (!isJsonObject(list)) return [];
  return Object.entries(list).flatMap(([key, members]) => {
    const tags = isJsonObject(members) && Array.isArray(members['tag']) ? members['tag'] : [];
    return isJsonObject(members) ? tags.map((tag: unknown) => ({ tag, digest: key, members })) : [];
  });
}

/** NaN for what is no time. */
function readTime(value: unknown, unit: PushTimesSource['unit']): number {
  if (unit === 'date') return typeof value === 'string' && value.length < 64 ? Date.parse(value) : Number.NaN;
  const number = typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value)) ? Number(value) : Number.NaN;
  return unit === 's' ? number * 1_000 : number;
}
