import { type ConsideredReason, type Rejection, refuseTag } from './candidate.ts';
import type { Glob } from './glob.ts';
import type { Policy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { parseStrictSemver } from './strict-semver.ts';
import { parseTag } from './tag.ts';
import type { TagParser } from './tag-orders.ts';

/** What a decision is made from. */
export interface PolicyInput {
  readonly policy: Policy;
  /** The running tag, with or without `@sha256:…`; empty when the image has only a digest. */
  readonly current: string;
  /** The complete list of the registry; a truncated one must not come here. */
  readonly tags: readonly string[];
  /** The pushed tag that woke the workload. */
  readonly event?: string | undefined;
  /** The digest that runs is no longer the one behind the running tag. */
  readonly digestChanged?: boolean | undefined;
  /** When no other tag is taken, decide as the policy `digest` does. */
  readonly trackDigest?: boolean | undefined;
  readonly allowPrerelease?: boolean | undefined;
  /** May leave a running tag that is no version. */
  readonly adopt?: boolean | undefined;
  readonly ignore?: readonly Glob[] | undefined;
  /** `force` takes only a push of the running tag. */
  readonly matchTag?: boolean | undefined;
  readonly strictSemver?: boolean | undefined;
  /** The tags are versions of a chart: SemVer 2.0 without exception. */
  readonly chart?: boolean | undefined;
  readonly order?: 'alphabetical' | 'created' | undefined;
  /** When each tag was created, in milliseconds; read with `order: created`. */
  readonly created?: ReadonlyMap<string, number> | undefined;
}

/** The input of a decision, read once. */
export interface Situation {
  readonly input: PolicyInput;
  readonly current: string;
  readonly event: string | undefined;
  readonly parse: TagParser;
  /** Tag or chart version as it is compared and written: in charts `_` of an OCI tag is `+`. */
  readonly normalize: (text: string) => string;
  /** Why a tag is no candidate whatever the policy says. */
  readonly refuse: (text: string) => Rejection | undefined;
}

/** A hold, decided before any candidate was looked at. */
export interface Hold {
  readonly hold: Reason;
  readonly message: string;
}

export type Judge = (text: string) => ConsideredReason;

export function readSituation(input: PolicyInput): Situation {
  const normalize = input.chart ? (text: string): string => text.replaceAll('_', '+') : (text: string): string => text;
  const at = input.current.indexOf('@');
  const current = normalize(at < 0 ? input.current : input.current.slice(0, at));
  const ignore = input.ignore ?? [];
  return {
    input,
    current,
    event: input.event === undefined ? undefined : normalize(input.event),
    parse: parserOf(input),
    normalize,
    refuse: (text) => refuseTag(text, current, ignore),
  };
}

function parserOf({ chart, strictSemver }: PolicyInput): TagParser {
  if (chart) return (text) => parseStrictSemver(text, { leadingZeros: false });
  if (strictSemver) return (text) => parseStrictSemver(text, { leadingZeros: true });
  return parseTag;
}
