import { isTag } from '../core/image-reference.ts';

/** The tags of the pages read so far: distinct, legal, limited in number. */
export interface TagCollection {
  /** How many were new. */
  add(page: readonly unknown[]): number;
  hasAll(page: readonly unknown[]): boolean;
  readonly isFull: boolean;
  list(): readonly string[];
}

export function createTagCollection(maximum: number): TagCollection {
  const tags = new Set<string>();
  let isFull = false;

  return {
    add(page) {
      const before = tags.size;
      for (const tag of page) {
        if (typeof tag !== 'string' || tags.has(tag) || !isTag(tag)) continue;
        if (tags.size >= maximum) {
          isFull = true;
          break;
        }
        tags.add(tag);
      }
      return tags.size - before;
    },
    hasAll: (page) => page.every((tag) => typeof tag === 'string' && tags.has(tag)),
    get isFull() {
      return isFull;
    },
    list: () => [...tags],
  };
}
