import type { RegistryCheck } from '../operator/check-registry.ts';
import { formatTable, printable } from './text-table.ts';

const answers: Readonly<Record<string, string>> = {
  accepted: 'accepted',
  login: 'login refused',
  scope: 'login works, no right to this repository',
  denied: 'access denied',
  challenge: 'the registry asks for another kind of login',
  resting: 'not tried: it was refused a moment ago',
  failed: 'no answer that says anything of it',
};

const tasks: Readonly<Record<string, string>> = { resolve: 'digest', contents: 'contents', tags: 'tags', token: 'token' };

/** The report for people: facts, the credentials in the order in which they were tried, the verdict, and what to do. */
export function formatRegistryCheck(check: RegistryCheck): string {
  return [formatFacts(check), formatTable(credentialRows(check)), formatAnswers(check), formatVerdict(check)].join('\n');
}

function formatFacts({ image, registry, transport, pullsAs, forbidden }: RegistryCheck): string {
  return formatLines([
    ['image', image],
    ['registry', registry],
    ...transport.map((fact, index) => [index === 0 ? 'reached by' : '', fact] as const),
    ['allowed', forbidden ?? 'yes'],
    ['pulls as', pullsAs ?? 'nobody: without a cluster there are no pull secrets'],
  ]);
}

function credentialRows({ credentials, tried }: RegistryCheck): string[][] {
  const untried = credentials.filter((source) => !tried.some((each) => each.source === source));
  return [
    ['CREDENTIAL', 'FOR', 'ANSWER', 'HTTP'],
    ...tried.map(rowOf),
    ...untried.map((source) => [source, '-', 'not needed or not reached', '-']),
  ];
}

function rowOf(tried: RegistryCheck['tried'][number]): string[] {
  const { source, operation, httpStatus } = tried;
  return [source, tasks[operation] ?? operation, answerOf(tried), httpStatus === null ? '-' : String(httpStatus)];
}

function answerOf({ source, outcome, httpStatus }: RegistryCheck['tried'][number]): string {
  // Not refused is not yet found.
  if (outcome === 'accepted' && httpStatus !== null && httpStatus >= 400) return httpStatus === 404 ? 'not found' : 'an error';
  if ((outcome === 'challenge' || outcome === 'login') && source === 'anonymous') return 'a login is asked for';
  return answers[outcome] ?? outcome;
}

function formatAnswers({ digest, kind, platforms, tags, quotaRemaining, coolDownSeconds, notes }: RegistryCheck): string {
  return formatLines([
    ['digest', digest ?? '-'],
    ['kind', kind ?? '-'],
    ['platforms', platforms?.join(', ') ?? '-'],
    ['tags', tags ? `${tags.count}${tags.complete ? '' : ' and more'}` : '-'],
    ['quota', quotaRemaining === null ? 'the registry says nothing of one' : `${quotaRemaining} left`],
    ['cool-down', coolDownSeconds === null ? 'none' : `${coolDownSeconds} s`],
    ...notes.map((note) => ['note', note] as const),
  ]);
}

function formatVerdict({ ok, failures }: RegistryCheck): string {
  if (ok) return 'OK\n';
  return failures.map(({ code, message, advice }) => `FAILED ${code}: ${printable(message)}\n  to do: ${printable(advice)}\n`).join('');
}

function formatLines(lines: readonly (readonly [name: string, value: string])[]): string {
  return formatTable(lines.map(([name, value]) => [name, value]));
}
