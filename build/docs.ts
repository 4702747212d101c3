import { type AnnotationRow, annotationPrefix, annotationTable } from '../src/core/annotation-table.ts';
import { configTable, settingForms, type SettingRow } from '../src/core/config-table.ts';
import { type MetricRow, metricTable } from '../src/core/metric-table.ts';
import { type ReasonText, reasonTexts } from '../src/core/reason-texts.ts';
import { type Reason, reasonTypes } from '../src/core/reasons.ts';
import { fileKeys, fileOnlyKeys, laterKeys } from './file-keys.ts';

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
| odd \`dry-run\`, \`match-tag\` | as \`true\` |
| unreadable \`polling-interval\`, \`auto-rollback\`, \`rollback-timeout\`, \`health-check-retries\` | their defaults |
| other switches that are neither \`true\` nor \`false\` | as \`false\` |
| unknown key, unknown container after the dot | Event \`UnknownAnnotation\` with the nearest known one; no other effect |

Not acted on yet in this version: \`auto-rollback\` and \`health-check-retries\` (undoing a change whose rollout fails).

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
  const keys = fileKeys().map(({ path, accepts, default: fallback, help }) => [
    `\`${path}\``,
    help,
    accepts,
    fallback === undefined ? '' : `\`${fallback}\``,
  ]);
  return `# Configuration

${generated}

Settings come from four places; a later one wins: defaults, environment and flags (a flag wins over its variable), the configuration file, and the ConfigMap.
An empty value counts as unset. All mistakes of environment, flags and file are told at once, with source, line and what would be accepted; then the
start ends. An unknown \`HEADWIND_*\` variable is a warning that names the nearest known one.

## Environment and flags

${table(['Variable', 'Flag', 'Meaning', 'Accepts', 'Default'], rows)}

\`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`ALL_PROXY\` and \`NO_PROXY\` (names, suffixes, addresses and CIDR ranges) are honoured for registries.
\`SSL_CERT_FILE\` and \`SSL_CERT_DIR\` add authorities for registries. \`RUST_LOG\` is a level, or a list of \`target=level\`: \`headwind\` and
\`kube_autorollout\` are this program; other targets are ignored, with one warning.

## File

YAML, named by \`HEADWIND_CONFIG_PATH\` or \`CONFIG_FILE\`; otherwise \`/etc/headwind/config.yaml\`, otherwise \`/etc/headwind/ui/config.yaml\`, if it exists.
A file of kube-autorollout can be used as it is (see [Switching from kube-autorollout](kube-autorollout.md)). No key is required.

\`\`\`yaml
cronSchedule: "*/30 * * * * *"
timeZone: Europe/Berlin
polling: { enabled: true, interval: 5m }
registries:
  - hostnamePattern: "ghcr.io"
    secret: { type: ImagePullSecret, mountPath: /etc/secrets/registries/ghcr.io }
  - hostnamePattern: "*.artifactory.example.com"
    secret: { type: Opaque, username: "\${ARTIFACTORY_USER}", token: "\${ARTIFACTORY_TOKEN}" }
tls:
  caCertificatePaths: [/etc/headwind/ca/company.pem]
\`\`\`

${table(['Key', 'Meaning', 'Accepts', 'Default'], keys)}

* Keys are read in camelCase and in snake_case (\`ca_certificate_paths\`). Any other key is a mistake that names the nearest known one.
* \`cronSchedule\` and \`interval\` exclude each other.
* ${laterKeys()
    .map((name) => `\`${name}\``)
    .join(', ')} belong to later versions: accepted, and told once.
* What \`registries\` mean for the way to a registry is in [Registries](registries.md).

### Variables

\`\${NAME}\` in a key or a value stands for the environment variable \`NAME\`, once: what it holds is not looked at again. The text between the braces is the
name; there is no form with a default, and no escape. A variable that is not set is a mistake with its line; an empty one is fine. Comments are not looked at.

The file is parsed first. So a value with quotes, \`:\`, \`#\` or line breaks stays one value, whatever it holds, and takes the type of its key: \`port: \${PORT}\` is a
number, \`{ token: \${TOKEN} }\` needs no quotes.

### Schedule

\`cronSchedule\` has six fields, \`second minute hour day month weekday\`; seven with a year; five without seconds. \`@yearly\`, \`@annually\`, \`@monthly\`, \`@weekly\`,
\`@daily\` and \`@hourly\` are names of schedules.

| Written | Means |
| --- | --- |
| \`*/45 * * * * *\` | the seconds 0 and 45 of each minute: 120 looks an hour, with gaps of 45 and 15 seconds. For "every 45 seconds" write \`interval: 45s\` |
| \`0 0 12 13 * FRI\` | day **and** weekday must match: Friday the 13th |
| \`?\` | any day, in the fields day and weekday |
| \`L\`, \`5L\`, \`LW\` | the last day of the month, its last Friday, its last working day |
| \`15W\`, \`FRI#2\` | the working day nearest to the 15th, the second Friday |
| \`7\`, \`SUN\`, \`JAN\` | Sunday; names of days and months |

A look that is still running when the next one is due is not doubled, and what was missed is not made up for.

## ConfigMap

The ConfigMap \`headwind-config\` in the namespace of the operator may have the key \`config.yaml\`, with the keys of the file, and single keys with dots, which win over it:

\`\`\`yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: headwind-config
  namespace: headwind-system
data:
  polling.enabled: "true"
  polling.interval: "120"
  config.yaml: |
    registries:
      - hostnamePattern: "*"
        secret: { type: None }
\`\`\`

Not accepted from it: ${fileOnlyKeys()
    .map((name) => `\`${name}\``)
    .join(
      ', ',
    )}, and variables in the form \`\${NAME}\`. Whoever may edit settings cannot open a port, start a program, or read the environment.
An unknown single key is a warning; others may keep keys there.

## Changes without a restart

File, ConfigMap, and the files that the configuration names (authorities, keys, mounted docker configs) are followed; a change is in force within five seconds: registries,
polling, expiry and retention of requests, deciding and applying, schedule, log level. Addresses, ports, watched namespaces and variables need a restart.

A change with a mistake does not count: what was in force stays, the log and an Event (\`InvalidConfiguration\`) name line and key, and
\`headwind_config_reloads_total{result="refused"}\` counts. The other places go on: a mistake in the ConfigMap does not keep a rotated certificate from being used.
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
