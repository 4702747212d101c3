import type { Policy } from './policy.ts';

/** Is a new digest of the running tag worth a change under this policy? */
export function followsDigest({ policy, trackDigest }: { policy: Policy; trackDigest?: boolean | undefined }, current: string): boolean {
  if (policy.name === 'none') return false;
  if (trackDigest) return true;
  if (policy.name === 'glob') return policy.glob?.matches(current) === true;
  return policy.name === 'all' || policy.name === 'force' || policy.name === 'digest';
}

/** Does the policy compare tags, so that a complete list of them is needed? */
export function comparesTags({ name }: Policy): boolean {
  return name !== 'none' && name !== 'digest' && name !== 'force';
}
