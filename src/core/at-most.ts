/**
 * The size of an LRU cache: so many entries. `max` of lru-cache takes the memory for all of them when it is made, which is megabytes for
 * caches that stay nearly empty in most clusters; this takes it entry by entry.
 */
export function atMost(entries: number): { readonly maxSize: number; readonly sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: one };
}

function one(): number {
  return 1;
}
