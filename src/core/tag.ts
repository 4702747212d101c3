import { isCommitHash } from './commit-hash.ts';
import { type Prerelease, readPrerelease } from './prerelease.ts';
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
const corePattern = /^\d+(?:\.\d+){0,3}(?!\.?\d)/;
// Year 1990 to 2199 and plausible month, day and time; one separator within the day and one within the time.
const datePattern =
  /^(?:199|20\d|21\d)\d([-_]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:[T\-_.](?:[01]\d|2[0-3])([-_.]?)[0-5]\d(?:\2[0-5]\d)?Z?)?(?=$|[-_.])/;
const gluedPrerelease = /^[A-Za-z]+\d*(?:\.\d+)*(?=$|[-_.])/;
const gluedRevision = /^(?:([a-z])|p(\d+))(?=$|[-_.])/;

/** Reads a tag as a version, or says with undefined that it has no order. Total: never throws. */
export function parseTag(text: string): Tag | undefined {
  const plus = text.indexOf('+');
  const version = plus < 0 ? text : text.slice(0, plus);
  const head = headPattern.exec(version);
  if (!head) return undefined;
  const [whole, prefix = '', v = ''] = head;
  const body = version.slice(whole.length);
  const numbers = readDate(body) ?? readCore(body);
  if (!numbers) return undefined;
  const glued = readGlued(body, numbers.length);
  if (!glued) return undefined;
  const suffix = readSuffix(body.slice(numbers.length + glued.length), glued);
  const { kind, core } = numbers;
  return {
    text,
    family: familyOf(numbers, prefix, suffix),
    kind,
    prefix,
    v,
    core,
    pre: suffix.pre,
    variant: suffix.variant,
    revision: suffix.revision,
    hash: suffix.hash,
    build: plus < 0 ? '' : text.slice(plus + 1),
  };
}

// A slash cannot occur in a tag, so no two families share a text.
function familyOf({ kind, precision }: Numbers, prefix: string, { variant, revision, hash }: Suffix): string {
  if (prefix === '' && variant === '' && hash === '' && revision === undefined) return `${kind}/${precision}`;
  return `${kind}/${precision}/${prefix}/${variant}/${revision?.style ?? ''}/${hash === '' ? '' : '#'}`;
}

interface Numbers {
  readonly kind: TagKind;
  readonly core: readonly bigint[];
  /** Count of components, or the format of a date with `#` for each digit. */
  readonly precision: string | number;
  readonly length: number;
}

function readDate(body: string): Numbers | undefined {
  const date = datePattern.exec(body)?.[0];
  if (date === undefined) return undefined;
  return { kind: 'date', core: [BigInt(date.replace(/\D/g, ''))], precision: date.replace(/\d/g, '#'), length: date.length };
}

function readCore(body: string): Numbers | undefined {
  const core = corePattern.exec(body)?.[0];
  if (core === undefined) return undefined;
  const parts = core.split('.');
  const first = parts[0] ?? '';
  const kind = parts.length === 1 && first.length >= 5 ? 'long' : isYear(first) ? 'cal' : 'ver';
  return { kind, core: parts.map(BigInt), precision: parts.length, length: core.length };
}

function isYear(digits: string): boolean {
  return digits.length === 4 && digits >= '1900' && digits <= '2199';
}

interface Glued {
  readonly length: number;
  readonly pre?: Prerelease;
  readonly revision?: Revision;
}

const nothingGlued: Glued = { length: 0 };

/** Text glued to the core: `3.10.0b4`, `1.1.1w`, `9.8p1`. Undefined when it is anything else. */
function readGlued(body: string, from: number): Glued | undefined {
  const rest = body.slice(from);
  if (rest === '' || /^[-_.]/.test(rest)) return nothingGlued;
  // `123456a-alpine` and `main-123456a` are commits that happen to begin with a digit.
  if (isCommitHash(body.split(/[-_.]/, 1)[0] ?? '')) return undefined;
  const word = gluedPrerelease.exec(rest)?.[0];
  const pre = word === undefined ? undefined : readPrerelease(word);
  if (word !== undefined && pre) return { length: word.length, pre };
  const match = gluedRevision.exec(rest);
  if (!match) return undefined;
  const [whole, letter, digits] = match;
  const revision: Revision = digits === undefined ? { style: 'letter', value: letter ?? '' } : { style: 'p', value: BigInt(digits) };
  return { length: whole.length, revision };
}
