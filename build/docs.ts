import { type AnnotationRow, annotationPrefix, annotationTable } from '../src/core/annotation-table.ts';
import { configTable, settingForms, type SettingRow } from '../src/core/config-table.ts';
import { type MetricRow, metricTable } from '../src/core/metric-table.ts';
import { type ReasonText, reasonTexts } from '../src/core/reason-texts.ts';
import { type Reason, reasonTypes } from '../src/core/reasons.ts';

const generated = '<!-- Generated from the code by `node build/generate.ts`. -->';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `docs/annotations.md` */
export function annotationsPage(): string {
  const all = Object.entries<AnnotationRow>(annotationTable);
  const read = all.filter(([, row]) => row.access === 'read');
  const written = all.filter(([, row]) => row.access === 'written');
  return `# Annotations

${generated}

All keys begin with \`${annotationPrefix}\` and stand on the workload's own \`metadata\`, not on its pod template. \`policy\` makes the workload managed.
Words are case-insensitive, values are trimmed. \`true\` and \`false\` of \`require-approval\` and \`auto-rollback\` count only when written exactly so.

## Read

${table(
  ['Key', 'Meaning', 'Accepts', 'Default', 'Per container'],
  read.map(([key, row]) => [`\`${key}\``, row.meaning, row.accepts, row.default, row.perContainer ? 'yes' : 'no']),
)}

Per container: \`${annotationPrefix}<key>.<container>\` overrides the key for one container: \`${annotationPrefix}policy.sidecar: none\`.

\`images\`: an item means a container when it matches its name or its image: the repository with its registry as written, without registry, in
full (\`docker.io/library/nginx\`), or, for an item without \`/\`, its last component. A tag in an item is ignored.

## Written, in the same patch as the image

${table(
  ['Key', 'Meaning', 'Form'],
  written.map(([key, row]) => [`\`${key}\``, row.meaning, row.accepts]),
)}

## Bad values

A bad value never stops the operator, never touches another workload, and is never read as something more permissive than what was written. It is
told as an Event on the workload, once per change.

| Case | Then |
|---|---|
| unknown \`policy\`; bad range, expression, glob; unknown \`order\`; unreadable \`min-update-interval\` | the container is held (\`InvalidAnnotation\`) until it is corrected |
| unknown \`event-source\` | as \`none\` |
| odd \`require-approval\` | approval is required |
| odd \`dry-run\` | as \`true\` |
| unreadable \`polling-interval\`, \`auto-rollback\`, \`rollback-timeout\`, \`health-check-retries\` | their defaults |
| other switches that are neither \`true\` nor \`false\` | as \`false\` |
| unknown key, unknown container after the dot | Event \`UnknownAnnotation\` with the nearest known one; no other effect |

Not acted on yet in this version: \`auto-rollback\` and \`health-check-retries\` (undoing a change whose rollout fails), and \`order: created\`.

The label \`kube-autorollout/enabled=true\` on a workload is one more way to write settings: policy \`digest\` without approval, both sources of
news, no interval. Annotations on the same object refine it; a policy for tags keeps its own approval.
`;
}

/** `docs/configuration.md` */
export function configurationPage(): string {
  const rows = Object.values<SettingRow>(configTable).map(({ variable, flag, type, help, default: fallback }) => [
    `\`${variable}\``,
    `\`--${flag}\``,
    help,
    settingForms[type],
    fallback === undefined || fallback === '' ? '' : `\`${fallback}\``,
  ]);
  return `# Configuration

${generated}

\`headwind run\` reads environment variables and flags; a flag wins. An empty value counts as unset. All mistakes are reported at once and stop the
start; an unknown \`HEADWIND_*\` variable is a warning that names the nearest known one.

${table(['Variable', 'Flag', 'Meaning', 'Accepts', 'Default'], rows)}

\`HTTP_PROXY\`, \`HTTPS_PROXY\` and \`NO_PROXY\` (names, suffixes, addresses and CIDR ranges) are honoured for registries.
`;
}

/** `docs/metrics.md` */
export function metricsPage(): string {
  const rows = Object.entries<MetricRow>(metricTable).map(([name, { type, help, labels = [] }]) => [
    `\`headwind_${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(' '),
    help,
  ]);
  return `# Metrics

${generated}

\`GET /metrics\` on port 9090, in the text format of Prometheus, beside the usual metrics of the process. The values of labels are closed sets; a
registry beyond the first 50 counts as \`other\`.

${table(['Name', 'Type', 'Labels', 'Counts'], rows)}
`;
}

/** `docs/reasons.md` */
export function reasonsPage(): string {
  const types: Readonly<Record<string, 'N' | 'W'>> = reasonTypes satisfies Record<Reason, 'N' | 'W'>;
  const rows = Object.entries<ReasonText>(reasonTexts).map(([reason, { meaning, remedy }]) => [
    `\`${reason}\``,
    meaning,
    remedy,
    types[reason] === 'W' ? 'Warning' : 'Normal',
  ]);
  return `# Reasons

${generated}

Whatever Headwind does or does not do has one of these reasons. The same word stands in conditions of UpdateRequests, in Kubernetes Events, in
the label \`reason\` of \`headwind_holds\`, in the API, and in what \`headwind explain\`, \`plan\` and \`simulate\` print; beside it stands a sentence.

${table(['Reason', 'Means', 'What to do', 'Event'], rows)}
`;
}
