// How fast the policy engine decides; prints JSON. Run with the operator's V8 flags.
import { choose, type PolicyInput } from '../src/core/choose.ts';
import { parsePolicy } from '../src/core/policy.ts';

const defaults = { allowPrerelease: false, adopt: false, matchTag: false, strictSemver: false, ignore: [], order: undefined } as const;
const measureMs = 1_000;

function input(policy: string, current: string, tags: readonly string[], pattern?: string): PolicyInput {
  const parsed = parsePolicy(policy, pattern);
  if ('invalid' in parsed) throw new Error(parsed.invalid);
  return { ...defaults, policy: parsed, current, tags };
}

const few = [
  input('patch', '1.25.0', ['1.25.0', '1.25.1', '1.26.0', 'latest']),
  input('minor', 'v2.3.4', ['v2.3.4', 'v2.4.0', 'v2.4.1-rc.1', 'v3.0.0']),
  input('major', '1.25-alpine', ['1.25-alpine', '1.26-alpine', '2.0-alpine', '2.0-bookworm', '2.0']),
  input('all', '3.1', ['3.0', '3.1', '3.2-beta']),
  input('glob', 'main-20240101', ['main-20240101', 'main-20240301', 'dev-20240401'], 'main-*'),
  input('semver:>=1.2 <2', '1.2.0', ['1.2.0', '1.9.9', '2.0.0']),
  input(String.raw`regex:^release-(\d+)$`, 'release-7', ['release-7', 'release-8', 'nightly']),
];

const manyTags = Array.from(
  { length: 10_000 },
  (_, n) => `${1 + (n % 7)}.${n % 97}.${n % 31}${['', '', '-alpine', '-rc.1', `-build.${n}`][n % 5]}`,
);
const many = {
  patch: input('patch', '1.5.0', manyTags),
  minor: input('minor', '1.5.0', manyTags),
  all: input('all', '1.5.0', manyTags),
  semver: input('semver:>=1.2 <4', '1.5.0', manyTags),
  glob: input('glob', '1.5.0-alpine', manyTags, '*-alpine'),
  regex: input(String.raw`regex:^\d+\.\d+\.\d+-build\.(\d+)$`, '2.5.0-build.1', manyTags),
};

/** Milliseconds of one call, as the median of many. */
function medianMs(run: () => void): number {
  const times: number[] = [];
  for (const end = performance.now() + measureMs; performance.now() < end || times.length < 5; ) {
    const startedAt = performance.now();
    run();
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

const perRound = 200;
const roundMs = medianMs(() => {
  for (let n = 0; n < perRound; n++) for (const each of few) choose(each);
});
const policies = Object.entries(many).map(([name, each]) => [name, medianMs(() => void choose(each))] as const);
console.log(JSON.stringify({ decisionsPerSecond: (perRound * few.length * 1000) / roundMs, manyMs: Object.fromEntries(policies) }));
