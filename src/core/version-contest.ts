import { adoptVersion } from './adopt.ts';
import type { Rejection } from './candidate.ts';
import { type Contest, type Limit, rise } from './contest.ts';
import { differingLevel } from './order.ts';
import type { Policy } from './policy.ts';
import { type Range, rangeAccepts } from './range.ts';
import type { Hold, Situation } from './situation.ts';
import type { Tag } from './tag.ts';
import { versionOrder } from './tag-orders.ts';

export type VersionPolicy = Extract<Policy, { name: 'patch' | 'minor' | 'major' | 'all' | 'semver' }>;

export interface SetUp {
  readonly contest: Contest;
  readonly reason: 'NewerTag' | 'AdoptedTag';
}

// First component that may change.
const levels = { patch: 2, minor: 1, major: 0 } as const;

/** What a policy over versions lets compete, or why nothing can follow the running tag. */
export function versionContest(situation: Situation, policy: VersionPolicy, candidates: readonly string[]): SetUp | Hold {
  const { current, input, parse } = situation;
  const tag = parse(current);
  if (!tag && input.adopt) {
    const accepts = policy.name === 'semver' ? (found: Tag): boolean => isInRange(policy.range, found, false) : (): boolean => true;
    return { contest: adoptVersion(candidates, parse, accepts), reason: 'AdoptedTag' };
  }
  if (!tag) return { hold: 'CurrentTagNotVersion', message: `${current} is not a version; with adopt it may be left for one` };
  if (policy.name !== 'all' && (tag.kind === 'date' || tag.kind === 'long')) {
    return {
      hold: 'DateTag',
      message: `${current} is a date or a build number, which ${policy.name} cannot judge; use all, glob or regex`,
    };
  }
  return { contest: rise(versionOrder(parse), tag, limitOf(policy, input.allowPrerelease === true)), reason: 'NewerTag' };
}

function limitOf(policy: VersionPolicy, allowPrerelease: boolean): Limit<Tag> {
  if (policy.name === 'all') return () => undefined;
  if (policy.name === 'semver') return (candidate) => refuseByRange(policy.range, candidate, allowPrerelease);
  const level = levels[policy.name];
  const prerelease = prereleaseLimit(allowPrerelease);
  return (candidate, current) => {
    const differs = differingLevel(candidate.core, current.core) ?? Number.POSITIVE_INFINITY;
    return differs < level ? 'Level' : prerelease(candidate, current);
  };
}

/** Prereleases only where they are wanted, or where the running tag is one of the same version: it may go on to its release. */
export function prereleaseLimit(allowPrerelease: boolean): Limit<Tag> {
  return (candidate, current) => {
    if (!candidate.pre || allowPrerelease) return undefined;
    return current.pre && differingLevel(candidate.core, current.core) === undefined ? undefined : 'Prerelease';
  };
}

function refuseByRange(range: Range, tag: Tag, allowPrerelease: boolean): Rejection | undefined {
  if (isInRange(range, tag, allowPrerelease)) return undefined;
  return tag.pre && isInRange(range, tag, true) ? 'Prerelease' : 'OutOfRange';
}

function isInRange(range: Range, tag: Tag, allowPrerelease: boolean): boolean {
  return rangeAccepts(range, { core: tag.core, pre: tag.pre?.identifiers ?? [] }, { allowPrerelease });
}
