import { type Considered, isEligible, type Rejection } from './candidate.ts';
import { followsDigest } from './follow-digest.ts';
import { patternContest } from './pattern-contest.ts';
import type { Reason } from './reasons.ts';
import { type Hold, type Judge, type PolicyInput, readSituation, type Situation } from './situation.ts';
import { unorderedPush } from './unordered-push.ts';
import { describeNothing, describeRefused, describeUpdate } from './verdict-message.ts';
import { type SetUp, versionContest } from './version-contest.ts';

export type { Considered, ConsideredReason } from './candidate.ts';
export type { PolicyInput } from './situation.ts';

/** `update` to another tag, `restart` with the same tag because its digest changed, or `hold`. */
export type PolicyOutcome = 'update' | 'restart' | 'hold';

export interface PolicyVerdict {
  readonly outcome: PolicyOutcome;
  /** The chosen tag, the running one for `restart`, null for `hold`. */
  readonly tag: string | null;
  readonly reason: Reason;
  readonly message: string;
  /** Every distinct tag with what was said about it, in the order of the list. Worked out when it is read. */
  readonly considered: readonly Considered[];
}

interface Decision {
  readonly outcome: PolicyOutcome;
  readonly tag: string | null;
  readonly reason: Reason;
  readonly message: string;
  readonly judge: Judge;
}

/** Decides which tag follows the running one. Pure; the order of the lists does not matter. */
export function choose(input: PolicyInput): PolicyVerdict {
  const situation = readSituation(input);
  const { outcome, tag, reason, message, judge } = decide(situation);
  let considered: readonly Considered[] | undefined;
  return {
    outcome,
    tag,
    reason,
    message,
    get considered() {
      considered ??= listConsidered(situation, judge);
      return considered;
    },
  };
}

function decide(situation: Situation): Decision {
  const { current, input, parse } = situation;
  const { name } = input.policy;
  if (name === 'none') return hold('PolicyNone', 'the policy is none');
  if (current === '') return hold('NoTag', 'the image has a digest and no tag, so there is nothing to compare');
  if (input.chart && !parse(current)) return hold('InvalidChartVersion', `${current} is not a version as SemVer 2.0 has it`);
  if (name === 'digest') return restartOr(situation, hold('UpToDate', `the digest behind ${current} has not changed`));
  if (name === 'force') return decideForce(situation);
  return decideByContest(situation);
}

function decideForce(situation: Situation): Decision {
  const { current, event, input } = situation;
  if (event === undefined || event === current) {
    return restartOr(situation, hold('UpToDate', `the digest behind ${current} has not changed`));
  }
  const refused = refusePush(situation, event);
  if (refused) {
    const judge: Judge = (text) => (text === event ? refused : 'NotConsulted');
    return restartOr(situation, hold('TagRefused', describeRefused(event, refused), judge));
  }
  if (input.matchTag) return restartOr(situation, hold('TagMismatch', `${event} was pushed, but only pushes of ${current} count`));
  return update('ForcedTag', event, `${event} was pushed, and force takes what is pushed`, (text) =>
    text === event ? 'Pushed' : 'NotConsulted',
  );
}

/** Chart versions that are none are refused, even by force. */
function refusePush(situation: Situation, event: string): Rejection | undefined {
  return situation.refuse(event) ?? (situation.input.chart && !situation.parse(event) ? 'Invalid' : undefined);
}

function decideByContest(situation: Situation): Decision {
  const field = readCandidates(situation);
  const setUp = setUpContest(situation, field.candidates);
  const unordered = unorderedPush(situation);
  const contest = 'contest' in setUp ? setUp.contest : undefined;
  const judge: Judge = (text) => {
    const reason = contest?.judge(text) ?? 'NotConsulted';
    return text === unordered && !isEligible(reason) ? 'Pushed' : reason;
  };
  const outcome = contest?.run(field.candidates);
  if ('contest' in setUp && outcome?.winner !== undefined) {
    return update(setUp.reason, outcome.winner, describeUpdate(situation, outcome.winner, setUp.reason), judge);
  }
  if (unordered !== undefined) {
    return update('UnorderedTag', unordered, `${unordered} was pushed and cannot be ordered against ${situation.current}`, judge);
  }
  if ('hold' in setUp) return restartOr(situation, hold(setUp.hold, setUp.message, judge));
  return restartOr(situation, holdWithout(situation, field, outcome?.rejections ?? new Set(), judge));
}

function setUpContest(situation: Situation, candidates: readonly string[]): SetUp | Hold {
  const { policy } = situation.input;
  switch (policy.name) {
    case 'glob':
    case 'regex':
      return patternContest(situation, policy, candidates);
    case 'patch':
    case 'minor':
    case 'major':
    case 'all':
    case 'semver':
      return versionContest(situation, policy, candidates);
    default:
      return { hold: 'PolicyNone', message: `the policy ${policy.name} compares nothing` };
  }
}

interface Field {
  readonly candidates: readonly string[];
  readonly hasInvalid: boolean;
}

function readCandidates(situation: Situation): Field {
  const { input, event, normalize, refuse } = situation;
  const candidates: string[] = [];
  let hasInvalid = false;
  const enter = (text: string): void => {
    const refused = refuse(text);
    if (refused === undefined) candidates.push(text);
    else if (refused === 'Invalid') hasInvalid = true;
  };
  for (const text of input.tags) enter(normalize(text));
  if (event !== undefined) enter(event);
  return { candidates, hasInvalid };
}

function holdWithout(situation: Situation, field: Field, rejections: ReadonlySet<Rejection>, judge: Judge): Decision {
  const { current, event } = situation;
  const refused = event === undefined ? undefined : situation.refuse(event);
  if (field.candidates.length === 0 && event !== undefined && refused !== undefined && refused !== 'Current') {
    return hold('TagRefused', describeRefused(event, refused), judge);
  }
  if (field.candidates.length === 0 && !field.hasInvalid) return hold('UpToDate', `there is no other tag than ${current}`, judge);
  return hold('NoEligibleTag', describeNothing(situation, rejections), judge);
}

/** A new digest of the running tag is worth a restart under the policies that follow digests, if nothing newer was taken. */
function restartOr(situation: Situation, otherwise: Decision): Decision {
  const { current, input } = situation;
  if (!input.digestChanged || !followsDigest(input, current)) return otherwise;
  return { ...otherwise, outcome: 'restart', tag: current, reason: 'DigestChanged', message: `the digest behind ${current} has changed` };
}

function listConsidered(situation: Situation, judge: Judge): readonly Considered[] {
  const { input, event, normalize, refuse } = situation;
  const texts = new Set(input.tags.map(normalize));
  if (event !== undefined) texts.add(event);
  return Array.from(texts, (tag) => {
    const reason = refuse(tag) ?? judge(tag);
    return { tag, verdict: isEligible(reason) ? 'eligible' : 'rejected', reason };
  });
}

function notConsulted(): 'NotConsulted' {
  return 'NotConsulted';
}

function update(reason: Reason, tag: string, message: string, judge: Judge): Decision {
  return { outcome: 'update', tag, reason, message, judge };
}

function hold(reason: Reason, message: string, judge: Judge = notConsulted): Decision {
  return { outcome: 'hold', tag: null, reason, message, judge };
}
