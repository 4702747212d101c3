import { adoptMatching } from './adopt.ts';
import { type Limit, rise } from './contest.ts';
import type { Hold, Situation } from './situation.ts';
import { alphabeticalOrder, createdOrder, dateOrder, numberOrder, type Order, skeletonOrder, versionOrder } from './tag-orders.ts';
import { type Found, type PatternPolicy, patternOf, type TagPattern, type Through, through } from './tag-pattern.ts';
import { prereleaseLimit, type SetUp } from './version-contest.ts';

interface Play {
  readonly situation: Situation;
  readonly pattern: TagPattern;
  readonly candidates: readonly string[];
}

/** What a glob or a regular expression lets compete, or why nothing can follow the running tag. */
export function patternContest(situation: Situation, policy: PatternPolicy, candidates: readonly string[]): SetUp | Hold {
  const { chart, order } = situation.input;
  const pattern = patternOf(policy, { wholeTags: chart === true || order !== undefined });
  if (!pattern) return { hold: 'PatternMissing', message: 'the policy glob has no pattern, so no tag ever matches' };
  const play: Play = { situation, pattern, candidates };
  // Versions of charts have one order, whatever was chosen for tags.
  if (!chart && order === 'alphabetical') return byUserOrder(play, alphabeticalOrder());
  if (!chart && order === 'created') return byCreation(play);
  return pattern.ordering === undefined ? byNature(play) : byGroup(play);
}

/** As versions where the running tag is one, else by the numbers in tags of the same shape. */
function byNature(play: Play): SetUp | Hold {
  const { situation, pattern, candidates } = play;
  const { current, input, parse } = situation;
  const tag = parse(current);
  const own = pattern.find(current);
  const matches = typeof own !== 'string';
  if (tag && (matches || !pattern.compares)) {
    const limit = onValue(prereleaseLimit(input.allowPrerelease === true));
    return newer(rise(through(versionOrder(parse), pattern), { value: tag, equal: equalOf(own) }, limit));
  }
  if (tag) return mismatch(play);
  if (matches) {
    const order = skeletonOrder();
    const value = order.read(current);
    if (typeof value !== 'string') return newer(rise(through(order, pattern), { value, equal: own.equal }, noLimit));
  }
  if (input.adopt) return adopt(candidates, through(versionOrder(parse), pattern), ({ value }) => value.pre === undefined);
  if (pattern.compares) return mismatch(play);
  return {
    hold: 'CurrentTagNotVersion',
    message: `${current} is not a version and does not match ${pattern.text}; with adopt it may be left`,
  };
}

function byGroup(play: Play): SetUp | Hold {
  const { parse, input } = play.situation;
  const allowPrerelease = input.allowPrerelease === true;
  switch (play.pattern.ordering) {
    case 'number':
      return byValue(play, numberOrder(), noLimit, () => true);
    case 'date':
      return byValue(play, dateOrder(), noLimit, () => true);
    case 'compare':
      return byValue(play, skeletonOrder(), noLimit, () => true);
    default:
      return byValue(play, versionOrder(parse), prereleaseLimit(allowPrerelease), (tag) => allowPrerelease || tag.pre === undefined);
  }
}

function byValue<V extends object>(play: Play, order: Order<V>, limit: Limit<V>, mayAdopt: (value: V) => boolean): SetUp | Hold {
  const { current, input, parse } = play.situation;
  const grouped = through(order, play.pattern);
  const own = grouped.read(current);
  if (typeof own !== 'string') return newer(rise(grouped, own, onValue(limit)));
  if (input.adopt && !parse(current)) return adopt(play.candidates, grouped, ({ value }) => mayAdopt(value));
  return mismatch(play);
}

function byCreation(play: Play): SetUp | Hold {
  const { current, input } = play.situation;
  if (input.created?.get(current) === undefined) {
    return { hold: 'CreatedUnknown', message: `it is not known when ${current} was created, so nothing can be called newer` };
  }
  return byUserOrder(play, createdOrder(input.created));
}

/** On the user's word any matching tag may follow, but still no prerelease that was not asked for. */
function byUserOrder<V extends { readonly text: string }>(play: Play, order: Order<V>): SetUp | Hold {
  const { current, input, parse } = play.situation;
  const own = play.pattern.find(current);
  const value = order.read(current);
  if (typeof value === 'string' || (typeof own === 'string' && play.pattern.compares)) return mismatch(play);
  const limit = prereleaseLimit(input.allowPrerelease === true);
  const currentTag = parse(current);
  const refuse: Limit<V> = (candidate) => {
    const tag = parse(candidate.text);
    return tag?.pre ? limit(tag, currentTag ?? { ...tag, pre: undefined }) : undefined;
  };
  return newer(rise(through(order, play.pattern), { value, equal: equalOf(own) }, onValue(refuse)));
}

function adopt<V extends object>(candidates: readonly string[], order: Order<V>, may: (value: V) => boolean): SetUp | Hold {
  const contest = adoptMatching(candidates, order, (value) => (may(value) ? undefined : 'Prerelease'));
  if (!('ambiguous' in contest)) return { contest, reason: 'AdoptedTag' };
  const [one, other] = contest.ambiguous;
  return { hold: 'AmbiguousFamily', message: `${one} and ${other} both match but cannot be compared; make the pattern narrower` };
}

function newer(contest: SetUp['contest']): SetUp {
  return { contest, reason: 'NewerTag' };
}

function mismatch({ situation, pattern }: Play): Hold {
  return { hold: 'PatternMismatch', message: `${situation.current} has no value for the groups of ${pattern.text}` };
}

function equalOf(found: Found | string): string {
  return typeof found === 'string' ? '' : found.equal;
}

function onValue<V>(limit: Limit<V>): Limit<Through<V>> {
  return (candidate, current) => limit(candidate.value, current.value);
}

function noLimit(): undefined {
  return undefined;
}
