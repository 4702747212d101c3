import type { Rejection } from './candidate.ts';
import { compareTags } from './order.ts';
import { compareSkeletons, readSkeleton, type Skeleton } from './skeleton.ts';
import type { Tag } from './tag.ts';

/** One way to order tags: what it reads from a tag, which values compare at all, and how. */
export interface Order<V extends object> {
  read(text: string): V | Rejection;
  /** Why two values cannot be compared, or undefined. */
  apart(a: V, b: V): Rejection | undefined;
  /** Below zero when `a` comes before `b`. */
  compare(a: V, b: V): number;
  /** Among equal tags the one of the running tag's style is taken: its `v`. */
  style(value: V): string;
}

export type TagParser = (text: string) => Tag | undefined;

/** Versions of one family. */
export function versionOrder(parse: TagParser): Order<Tag> {
  return {
    read: (text) => parse(text) ?? 'NotAVersion',
    apart: (a, b) => (a.family === b.family ? undefined : 'OtherFamily'),
    compare: compareTags,
    style: (tag) => tag.v,
  };
}

/** Tags of one shape, by the numbers in them. */
export function skeletonOrder(): Order<Skeleton> {
  return {
    read: readSkeleton,
    apart: (a, b) => (a.shape === b.shape ? undefined : 'OtherSkeleton'),
    compare: compareSkeletons,
    style: noStyle,
  };
}

/** Whole numbers of any length. */
export function numberOrder(): Order<{ readonly number: bigint }> {
  return {
    read: (text) => (/^\d+$/.test(text) ? { number: BigInt(text) } : 'NoPatternMatch'),
    apart: never,
    compare: (a, b) => (a.number === b.number ? 0 : a.number < b.number ? -1 : 1),
    style: noStyle,
  };
}

/** Dates in any notation from the year down; what is missing at the end counts as zero. */
export function dateOrder(): Order<{ readonly text: string }> {
  return {
    read: (text) => {
      const digits = text.replace(/\D/g, '');
      return digits === '' ? 'NoPatternMatch' : { text: digits.padEnd(14, '0') };
    },
    apart: never,
    compare: compareTexts,
    style: noStyle,
  };
}

/** Byte by byte: for code names, on the user's word. */
export function alphabeticalOrder(): Order<{ readonly text: string }> {
  return { read: (text) => ({ text }), apart: never, compare: compareTexts, style: noStyle };
}

/** By the time a tag was created; a tag without one is left out. */
export function createdOrder(created: ReadonlyMap<string, number>): Order<{ readonly text: string; readonly time: number }> {
  return {
    read: (text) => {
      const time = created.get(text);
      return time === undefined ? 'NotConsulted' : { text, time };
    },
    apart: never,
    compare: (a, b) => a.time - b.time,
    style: noStyle,
  };
}

function compareTexts(a: { readonly text: string }, b: { readonly text: string }): number {
  return a.text === b.text ? 0 : a.text < b.text ? -1 : 1;
}

function never(): undefined {
  return undefined;
}

function noStyle(): string {
  return '';
}
