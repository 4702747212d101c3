import type { Glob } from './glob.ts';

/** Why a listed tag is not the next one. */
export type Rejection =
  | 'Current'
  | 'Generated'
  | 'Ignored'
  | 'Invalid'
  | 'NotAVersion'
  | 'OtherFamily'
  | 'Lower'
  | 'Equal'
  | 'Level'
  | 'Prerelease'
  | 'OutOfRange'
  | 'NoPatternMatch'
  | 'OtherGroup'
  | 'OtherSkeleton'
  | 'NotConsulted';
export type Eligibility = 'Greater' | 'Pushed' | 'Adoptable';
export type ConsideredReason = Eligibility | Rejection;

export interface Considered {
  readonly tag: string;
  readonly verdict: 'eligible' | 'rejected';
  readonly reason: ConsideredReason;
}

const legalPattern = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/;
const generatedPattern = /^sha(?:256|384|512)-[0-9a-f]{64,128}(?:\.[a-z]+)?$|\.(?:sig|att|sbom)$/;

/** Is this a text that can stand as a tag, or, with `+`, as a chart version? */
export function isLegalTag(text: string): boolean {
  return legalPattern.test(text);
}

/** Tags that signing and attestation tools write beside an image. No policy ever takes one. */
export function isGenerated(text: string): boolean {
  return generatedPattern.test(text);
}

/** Why a tag is no candidate whatever the policy says, or undefined. */
export function refuseTag(text: string, current: string, ignore: readonly Glob[]): Rejection | undefined {
  if (text === current) return 'Current';
  if (!isLegalTag(text)) return 'Invalid';
  if (isGenerated(text)) return 'Generated';
  return ignore.some((glob) => glob.matches(text)) ? 'Ignored' : undefined;
}

/** Those that stand against a candidate, or speak for it. */
export function isEligible(reason: ConsideredReason): reason is Eligibility {
  return reason === 'Greater' || reason === 'Pushed' || reason === 'Adoptable';
}
