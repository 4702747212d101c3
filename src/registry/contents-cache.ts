import { LRUCache } from 'lru-cache';
import type { ImageContents } from '../ports.ts';

/** Contents by key, for ever: what a digest stands for does not change. The oldest give way when the limit on memory is reached. */
export interface ContentsCache {
  get(key: string): ImageContents | undefined;
  set(key: string, contents: ImageContents): void;
  /** What is kept, by the estimate that the limit counts. */
  readonly bytes: number;
}

export function createContentsCache(maximumBytes: number): ContentsCache {
  const cache = new LRUCache<string, ImageContents>({ maxSize: maximumBytes, sizeCalculation: (contents, key) => sizeOf(contents, key) });

  return {
    get: (key) => cache.get(key),
    set: (key, contents) => void cache.set(key, contents),
    get bytes() {
      return cache.calculatedSize;
    },
  };
}

/** What V8 was seen to need, rounded up. */
function sizeOf({ digest, images, config }: ImageContents, key: string): number {
  const texts = images.reduce((sum, image) => sum + image.digest.length + 160 + lengthOf(image.os, image.architecture, image.variant), 0);
  return 512 + key.length + digest.length + lengthOf(config) + texts;
}

function lengthOf(...texts: readonly (string | undefined)[]): number {
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}
