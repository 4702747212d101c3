import { LRUCache } from 'lru-cache';
import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import type { PlaceReply } from './place.ts';
import type { TagList } from './tags.ts';

interface KeptList {
  readonly list: TagList;
  /** Path and query of the one page that it came from. */
  readonly path: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly saidAtMs: number;
}

/** Lists of registries that say when a list has not changed, so that it need not be sent again. */
export interface TagMemory {
  /** Headers for the request of that page; none where nothing is known. */
  conditions(call: Call, path: string): Readonly<Record<string, string>>;
  /** The list that "not modified" speaks of. */
  find(call: Call, asked: URL): KeptList | undefined;
  /** Keeps the list of that page, if the registry gave a word by which it can be asked for. */
  keep(call: Call, page: PlaceReply, list: TagList): void;
}

const maximumBytes = 16 * 1024 * 1024;
/** Nobody believes "not modified" for ever. */
const lifeMs = 24 * 3_600_000;
const longestValidator = 512;

export function createTagMemory(clock: Clock): TagMemory {
  const lists = new LRUCache<string, KeptList>({ maxSize: maximumBytes, sizeCalculation: sizeOf });

  function kept(call: Call): KeptList | undefined {
    const found = lists.get(keyOf(call));
    return found && clock.now() - found.saidAtMs < lifeMs ? found : undefined;
  }

  return {
    conditions(call, path) {
      const found = kept(call);
      return found?.path.endsWith(`/${path}`) ? found.conditions : {};
    },
    find(call, asked) {
      const found = kept(call);
      return found?.path === pathOf(asked) ? found : undefined;
    },
    keep(call, { answer, asked }, list) {
      const { etag, 'last-modified': lastModified } = answer.headers;
      const conditions = { ...condition('if-none-match', etag), ...condition('if-modified-since', lastModified) };
      if (Object.keys(conditions).length === 0) lists.delete(keyOf(call));
      else lists.set(keyOf(call), { list, path: pathOf(asked), conditions, saidAtMs: clock.now() });
    },
  };
}

function keyOf({ endpoint, repository, credentials }: Call): string {
  return [endpoint.origin, repository, credentials.fingerprint].join(' ');
}

function pathOf({ pathname, search }: URL): string {
  return pathname + search;
}

function condition(name: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === '' || value.length > longestValidator ? {} : { [name]: value };
}

/** Of a string of a few characters V8 needs three times as much. */
function sizeOf({ list }: KeptList): number {
  return list.tags.reduce((sum, tag) => sum + tag.length + 32, 1_024);
}
