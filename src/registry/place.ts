import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { RegistryError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import type { Exchange, Reply } from './exchange.ts';
import { quirksOfAnswer } from './quirks.ts';
import type { RegistryRequest } from './send.ts';

/** A request for something of a repository. */
export interface PlaceRequest extends Omit<RegistryRequest, 'url' | 'directlyNamed' | 'operation'> {
  /** Below the repository: `manifests/1.0.0`, `tags/list?n=100`. */
  readonly path: string;
}

/** An answer, and the URL that was asked for it. */
export interface PlaceReply extends Reply {
  readonly asked: URL;
}

/** Asks for something of the call's repository, at the path where its registry keeps it. Throws RegistryError. */
export type Ask = (call: Call, request: PlaceRequest) => Promise<PlaceReply>;

interface KnownRoot {
  readonly root: string;
  readonly learntAtMs: number;
}

const rootLifeMs = 24 * 3_600_000;

/** `/v2/<repository>/`, and with `otherRoots` the other paths of products that keep it elsewhere; what worked is remembered per repository. */
export function createAsk({ exchange, clock, otherRoots }: { exchange: Exchange; clock: Clock; otherRoots: () => boolean }): Ask {
  const known = new LRUCache<string, KnownRoot>(atMost(10_000));

  async function ask(call: Call, request: PlaceRequest): Promise<PlaceReply> {
    const key = `${call.endpoint.origin} ${call.repository}`;
    const usual = `/v2/${call.repository}/`;
    const found = known.get(key);
    const root = found && clock.now() - found.learntAtMs < rootLifeMs ? found.root : undefined;
    const first = await askAt(call, request, root ?? usual);
    if (hasFound(first)) learn(key, root ?? usual, root);
    if (first.answer.status !== 404 || root === usual || !otherRoots()) return first;
    const others = quirksOfAnswer(first.answer.headers).otherRoots?.(call.repository) ?? [];
    for (const other of [usual, ...others]) {
      if (other === (root ?? usual)) continue;
      const reply = await tryAt(call, request, other);
      if (!reply || reply.answer.status === 404) continue;
      if (hasFound(reply)) learn(key, other, root);
      return reply;
    }
    return first;
  }

  function learn(key: string, root: string, before: string | undefined): void {
    if (root !== before) known.set(key, { root, learntAtMs: clock.now() });
  }

  async function askAt(call: Call, { path, ...request }: PlaceRequest, root: string): Promise<PlaceReply> {
    const asked = new URL(`${root}${path}`, call.endpoint.origin);
    return { ...(await exchange(call, { ...request, operation: call.operation, url: asked, directlyNamed: true })), asked };
  }

  /** Undefined where no credential is accepted: the first path said that there is nothing, and that stands. */
  async function tryAt(call: Call, request: PlaceRequest, root: string): Promise<PlaceReply | undefined> {
    try {
      return await askAt(call, request, root);
    } catch (error) {
      if (error instanceof RegistryError && (error.code === 'Unauthorized' || error.code === 'Denied')) return undefined;
      throw error;
    }
  }

  return ask;
}

function hasFound({ answer }: PlaceReply): boolean {
  return answer.status === 200 || answer.status === 304;
}
