import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Log } from '../ports.ts';

/** Tells what registries want people to know (`Warning: 299 - "text"`), each sentence once. Nobody acts on it. */
export interface Warnings {
  read(registry: string, header: string | undefined): void;
}

const longestText = 300;
const mostPerAnswer = 5;
const mostPerRegistry = 20;
/** RFC 7234: code, agent, quoted text, perhaps a date. */
const miscellaneous = /299\s+\S+\s+"((?:[^"\\]|\\.)*)"/g;

export function createWarnings(log: Pick<Log, 'warn'>): Warnings {
  const told = new LRUCache<string, Set<string>>(atMost(1_000));

  return {
    read(registry, header) {
      if (header === undefined) return;
      const known = told.get(registry) ?? new Set();
      told.set(registry, known);
      for (const [, quoted = ''] of [...header.slice(0, 4_096).matchAll(miscellaneous)].slice(0, mostPerAnswer)) {
        const warning = quoted
          .replaceAll(/\\(.)/g, '$1')
          .replaceAll(/\p{C}+/gu, ' ')
          .slice(0, longestText);
        if (known.has(warning) || known.size >= mostPerRegistry) continue;
        known.add(warning);
        log.warn({ registry, warning }, 'registry warns');
      }
    },
  };
}
