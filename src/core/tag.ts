import { isCommitHash } from './commit-hash.ts';
import { type Prerelease, readPrerelease } from './prerelease.ts';
import { isDigit, readNumbers, type TagNumbers } from './tag-numbers.ts';
import { type Revision, readSuffix, type Suffix } from './tag-suffix.ts';

/** `ver` a version, `cal` a version that begins with a year, `long` one large number (a build, a unix time), `date` a day or an instant. */
export type TagKind = 'ver' | 'cal' | 'long' | 'date';

/** A tag that can be ordered. `text` is never rebuilt: it is written back as it was found. */
export interface Tag {
  readonly text: string;
  /** Only tags of one family can be compared: kind, prefix, precision or date format, variant, style of revision, hash or none. */
  readonly family: string;
  readonly kind: TagKind;
  readonly prefix: string;
  /** The `v` or `V` before the numbers, empty where there is none. */
  readonly v: string;
  readonly core: readonly bigint[];
  readonly pre: Prerelease | undefined;
  readonly variant: string;
  readonly revision: Revision | undefined;
  /** The commit hash inside the tag, empty where there is none. */
  readonly hash: string;
  /** What follows `+`; no part of family or order. */
  readonly build: string;
}

const headPattern = /^((?:[A-Za-z]+[-_.])*)([vV]?)(?=\d)/;
const gluedPrerelease = /^[A-Za-z]+\d*(?:\.\d+)*(?=$|[-_.])/;
const gluedRevision = /^(?:([a-z])|p(\d+))(?=$|[-_.])/;

/** Reads a tag as a version, or says with undefined that it has no order. Total: never throws. */
export function parseTag(text: string): Tag | undefined {
  const plus = text.indexOf('+');
  const version = plus < 0 ? text : text.slice(0, plus);
  const head = readHead(version);
  if (!head) return undefined;
  const body = version.slice(head.length);
  const numbers = readNumbers(body);
  if (!numbers) return undefined;
  const glued = readGlued(body, numbers.length);
  if (!glued) return undefined;
  const suffix = readSuffix(body.slice(numbers.length + glued.length), glued);
  const { kind, core } = numbers;
  return {
    text,
    family: familyOf(numbers, head.prefix, suffix),
    kind,
    prefix: head.prefix,
    v: head.v,
    core,
    pre: suffix.pre,
    variant: suffix.variant,
    revision: suffix.revision,
    hash: suffix.hash,
    build: plus < 0 ? '' : text.slice(plus + 1),
  };
}

interface Head {
  readonly prefix: string;
  readonly v: string;
  readonly length: number;
}

const noHead: Head = { prefix: '', v: '', length: 0 };

/** What stands before the first number; undefined when there is no number. */
function readHead(version: string): Head | undefined {
  if (isDigit(version.charCodeAt(0))) return noHead;
  const match = headPattern.exec(version);
  if (!match) return undefined;
  const [whole, prefix = '', v = ''] = match;
  return { prefix, v, length: whole.length };
}

// A slash cannot occur in a tag, so no two families share a text.
function familyOf({ kind, precision }: TagNumbers, prefix: string, { variant, revision, hash }: Suffix): string {
  if (prefix === '' && variant === '' && hash === '' && revision === undefined) return `${kind}/${precision}`;
  return `${kind}/${precision}/${prefix}/${variant}/${revision?.style ?? ''}/${hash === '' ? '' : '#'}`;
}

interface Glued {
  readonly length: number;
  readonly pre?: Prerelease;
  readonly revision?: Revision;
}

const nothingGlued: Glued = { length: 0 };

/** Text glued to the core: `3.10.0b4`, `1.1.1w`, `9.8p1`. Undefined when it is anything else. */
function readGlued(body: string, from: number): Glued | undefined {
  if (from === body.length || isSeparator(body.charAt(from))) return nothingGlued;
  // `123456a-alpine` and `main-123456a` are commits that happen to begin with a digit.
  if (isCommitHash(body.split(/[-_.]/, 1)[0] ?? '')) return undefined;
  const rest = body.slice(from);
  const word = gluedPrerelease.exec(rest)?.[0];
  const pre = word === undefined ? undefined : readPrerelease(word);
  if (word !== undefined && pre) return { length: word.length, pre };
  const match = gluedRevision.exec(rest);
  if (!match) return undefined;
  const [whole, letter, digits] = match;
  const revision: Revision = digits === undefined ? { style: 'letter', value: letter ?? '' } : { style: 'p', value: BigInt(digits) };
  return { length: whole.length, revision };
}

function isSeparator(character: string): boolean {
  return character === '-' || character === '_' || character === '.';
}
