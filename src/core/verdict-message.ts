import type { Rejection } from './candidate.ts';
import type { Situation } from './situation.ts';

// In the order in which a person would want to hear them.
const phrases: readonly (readonly [Rejection, string])[] = [
  ['Level', 'larger steps'],
  ['OutOfRange', 'outside the range'],
  ['Prerelease', 'prereleases'],
  ['Lower', 'lower'],
  ['Equal', 'equal'],
  ['OtherFamily', 'of another family'],
  ['OtherGroup', 'of another group'],
  ['OtherSkeleton', 'of another shape'],
  ['NoPatternMatch', 'not matching the pattern'],
  ['NotAVersion', 'not versions'],
  ['NotConsulted', 'without a date'],
  ['Invalid', 'not valid'],
];

/** Why this tag was taken. */
export function describeUpdate({ current, input }: Situation, winner: string, reason: 'NewerTag' | 'AdoptedTag'): string {
  const { policy } = input;
  if (reason === 'AdoptedTag') return `${winner} is the highest tag to adopt, since ${current} has no order`;
  if (policy.name === 'glob' || policy.name === 'regex') return `${winner} is the highest tag above ${current} that matches ${policy.text}`;
  if (policy.name === 'semver') return `${winner} is the highest update of ${current} within ${policy.range.text.trim()}`;
  return policy.name === 'all'
    ? `${winner} is the highest update of ${current}`
    : `${winner} is the highest ${policy.name} update of ${current}`;
}

/** What stands against the tags there are. Says kinds and no numbers, so that it does not change with every new tag. */
export function describeNothing({ current, input, parse }: Situation, rejections: ReadonlySet<Rejection>): string {
  const against = phrases.filter(([rejection]) => rejections.has(rejection)).map(([, phrase]) => phrase);
  const nothing = `no tag may follow ${current} under ${input.policy.text}; the others are ${against.join(', ') || 'not valid'}`;
  const { policy, adopt, order } = input;
  const byPattern = policy.name === 'glob' || (policy.name === 'regex' && policy.regex.ordering === undefined);
  const keeps = adopt === true && byPattern && order === undefined && rejections.has('OtherSkeleton') && !parse(current);
  return keeps ? `${nothing}; ${current} matches the pattern itself, and adopt leaves only tags that do not` : nothing;
}

/** Why a pushed tag is never taken. */
export function describeRefused(event: string, refused: Rejection): string {
  if (refused === 'Generated') return `${event} was pushed, but it is a signature or attestation and no image to run`;
  if (refused === 'Ignored') return `${event} was pushed, but it is on the list of ignored tags`;
  return `${event} was pushed, but it is no legal tag`;
}
