import { isHashSegment } from './commit-hash.ts';
import { type Prerelease, readPrerelease } from './prerelease.ts';

/** A rebuild of the same version: `-1`, `-r5`, `-ls123`, `1.1.1w`. Only revisions of one style compare. */
export interface Revision {
  readonly style: string;
  readonly value: bigint | string;
}

export interface Suffix {
  readonly pre: Prerelease | undefined;
  readonly revision: Revision | undefined;
  readonly hash: string;
  readonly variant: string;
}

interface Segment {
  readonly separator: string;
  readonly text: string;
}

const revisionPattern = /^(r|ls|rev|build|p)(\d+)$/;

/**
 * Reads what follows the numbers of a tag, in this order: prerelease, revision, hashes, and what remains is the variant.
 * `glued` is what was found without a separator before: a tag has one prerelease and one revision.
 */
export function readSuffix(rest: string, glued: { pre?: Prerelease; revision?: Revision }): Suffix {
  if (rest === '') return { pre: glued.pre, revision: glued.revision, hash: '', variant: '' };
  const segments = splitSegments(rest);
  const pre = glued.pre ?? takePrerelease(segments);
  const revision = glued.revision ?? takeNumber(segments) ?? takeRevision(segments);
  let hash = '';
  let variant = '';
  for (const { separator, text } of segments) {
    if (isHashSegment(text)) hash += separator + text;
    else variant += separator + text;
  }
  return { pre, revision, hash, variant };
}

// The first separator may be a dot (`3.1.0.Final`); after that dots belong to the segment (`alpine3.18`).
function splitSegments(rest: string): Segment[] {
  const pieces = rest.slice(1).split(/([-_])/);
  const segments: Segment[] = [{ separator: rest.charAt(0), text: pieces[0] ?? '' }];
  for (let index = 1; index < pieces.length; index += 2) {
    segments.push({ separator: pieces[index] ?? '', text: pieces[index + 1] ?? '' });
  }
  return segments;
}

function takePrerelease(segments: Segment[]): Prerelease | undefined {
  const pre = readPrerelease(segments[0]?.text ?? '');
  if (!pre) return undefined;
  segments.shift();
  const number = takeDigits(segments);
  return number === undefined ? pre : { rank: pre.rank, identifiers: [...pre.identifiers, number] };
}

function takeNumber(segments: Segment[]): Revision | undefined {
  const value = takeDigits(segments);
  return value === undefined ? undefined : { style: 'n', value };
}

function takeDigits(segments: Segment[]): bigint | undefined {
  const text = segments[0]?.text ?? '';
  if (!/^\d+$/.test(text)) return undefined;
  segments.shift();
  return BigInt(text);
}

function takeRevision(segments: Segment[]): Revision | undefined {
  const match = revisionPattern.exec(segments.at(-1)?.text ?? '');
  if (!match) return undefined;
  segments.pop();
  const [, style = '', digits = ''] = match;
  return { style, value: BigInt(digits) };
}
