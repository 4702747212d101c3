import type { CheckSummary, ContainerExplanation, Explanation, NextStep, RequestSummary } from '../operator/explanation.ts';
import { formatTable, printable } from './text-table.ts';

const mostTags = 12;

/** The explanation for people: first the reasons, then what they follow from, then what happens next. */
export function formatExplanation(explanation: Explanation): string {
  const { kind, namespace, name, containers, problems, requests, next, rollout } = explanation;
  return [
    `${printable(`${kind} ${namespace}/${name}${rollout.settled ? '' : ` (${rollout.message})`}`)}\n`,
    section(
      containers.map(({ container, reason, candidate, message }) => [
        container,
        candidate === null ? reason : `${reason} ${candidate}`,
        message,
      ]),
    ),
    section(
      problems.map(({ reason, message }) => [reason, message]),
      'Problems',
    ),
    ...containers.map((each) => section(detailsOf(each, explanation), `Container ${each.container}`)),
    section(requests.map(requestRow), 'Requests'),
    section(next.map(nextRow), 'Next'),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function section(rows: readonly (readonly string[])[], title?: string): string {
  if (rows.length === 0) return '';
  const head = title === undefined ? '' : `${printable(title)}\n`;
  return head + formatTable(rows).replace(/^(?=.)/gm, '  ');
}

function detailsOf(each: ContainerExplanation, { settings, lastUpdate }: Explanation): string[][] {
  const dryRun = settings.find(({ key, value }) => key === 'dry-run' && value === 'true');
  const shown = each.settings.filter(({ key, source }) => source !== 'default' || key === 'policy' || key === 'event-source');
  return [
    ['image', each.image],
    ...[...shown, ...(dryRun ? [dryRun] : [])].map(({ key, value, source }) => [key, `${value} (${source})`]),
    ['last update', lastUpdate ?? 'none by Headwind'],
    ['last check', describeCheck(each.lastCheck)],
    ...(each.considered.length === 0 ? [] : [['tags', describeTags(each)]]),
  ];
}

function describeCheck(check: CheckSummary | null): string {
  if (check === null) return 'none yet: this process has not asked the registry';
  const { at, origin, ok, reason, message, credentials, tags, tagsAt } = check;
  const list = tags === null ? '' : `, ${tags} ${tags === 1 ? 'tag' : 'tags'} listed at ${tagsAt}`;
  return `${at} by ${origin}: ${ok ? 'answered' : `${reason}: ${message}`}${list}; credentials, in order: ${credentials.join(', ')}`;
}

function describeTags({ considered, consideredTotal }: ContainerExplanation): string {
  const shown = considered.slice(0, mostTags).map(({ tag, reason }) => `${tag} ${reason}`);
  const more = consideredTotal - shown.length;
  return `${shown.join(', ')}${more > 0 ? `, and ${more} more (-o json)` : ''}`;
}

function requestRow({ name, phase, state, newImage, message }: RequestSummary): string[] {
  return [name, state === 'open' ? phase : `${phase} (remembered)`, newImage, message ?? ''];
}

function nextRow({ at, container, reason, message }: NextStep): string[] {
  return [at ?? '-', container ?? '', reason === null ? message : `${reason}: ${message}`];
}
