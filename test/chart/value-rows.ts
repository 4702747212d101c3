import type { Rendered } from './render.ts';

/** A value, and what must be there when it is set: `look` gives `is` with it, and something else without. */
export interface ValueRow {
  /** The path of the value that is tested. */
  readonly path: string;
  readonly values: object;
  readonly look: (rendered: Rendered) => unknown;
  readonly is: unknown;
}

type Look = ValueRow['look'];
type Short = readonly [path: string, value: unknown, look: Look, is: unknown, beside?: object];

const labels: Look = ({ deployment }) => deployment['spec'].selector.matchLabels['app.kubernetes.io/name'];
const service =
  (name: string): Look =>
  (all) =>
    all.one('Service', name);
const portsOf =
  (suffix: string): Look =>
  (all) =>
    all.one('Service', `release-headwind${suffix}`)?.['spec'].ports.map(({ port, targetPort }: any) => `${port} ${targetPort}`);
const named = (path: string, name: string): Short => [path, [{ name, image: 'x' }], ({ pod }) => namesOf(pod[path]), [name]];
const monitor = (value: string, kind: string, endpoints: string): readonly Short[] => {
  const on = { [value]: { enabled: true } };
  const endpoint =
    (key: string): Look =>
    (all) =>
      all.one(kind)?.['spec'][endpoints][0][key];
  return [
    [`${value}.enabled`, true, (all) => all.one(kind)?.['spec'][endpoints][0].port, 'metrics'],
    [`${value}.labels`, { team: 'ops' }, (all) => all.one(kind)?.metadata['labels'].team, 'ops', on],
    [`${value}.interval`, '7s', endpoint('interval'), '7s', on],
    [`${value}.scrapeTimeout`, '6s', endpoint('scrapeTimeout'), '6s', on],
    [`${value}.relabelings`, [{ action: 'drop' }], endpoint('relabelings'), [{ action: 'drop' }], on],
    [`${value}.metricRelabelings`, [{ action: 'keep' }], endpoint('metricRelabelings'), [{ action: 'keep' }], on],
  ];
};

function namesOf(list: readonly { name: string }[] = []): string[] {
  return list.map(({ name }) => name);
}

const probe = { tcpSocket: { port: 'http' }, periodSeconds: 3 };
const digest = `sha256:${'a'.repeat(64)}`;
const budget = { podDisruptionBudget: { enabled: true } };
const budgetSpec: Look = (all) => all.one('PodDisruptionBudget')?.['spec'];
const policy = { networkPolicy: { enabled: true } };
const entrance = { ingress: { enabled: true } };
const account: Look = (all) => all.one('ServiceAccount');

const rows: readonly Short[] = [
  ['replicaCount', 0, ({ deployment }) => deployment['spec'].replicas, 0],
  ['image.repository', 'reg.example.com/headwind', ({ container }) => container.image, 'reg.example.com/headwind:0.1.0'],
  ['image.tag', '7.0', ({ container }) => container.image, 'headwind:7.0'],
  ['image.tag', 20261121, ({ container }) => container.image, 'headwind:20261121'],
  ['image.digest', digest, ({ container }) => container.image, `headwind@${digest}`],
  ['image.digest', digest, ({ container }) => container.image, `headwind:7@${digest}`, { image: { tag: '7' } }],
  ['image.pullPolicy', 'Always', ({ container }) => container.imagePullPolicy, 'Always'],
  ['imagePullSecrets', [{ name: 'regcred' }], ({ pod }) => pod.imagePullSecrets, [{ name: 'regcred' }]],
  ['nameOverride', 'other', labels, 'other'],
  ['fullnameOverride', 'other', ({ deployment }) => deployment.metadata['name'], 'other'],
  ['config.logLevel', 'debug', (all) => all.env('RUST_LOG'), 'debug'],
  ['config.cronSchedule', '0 * * * * *', ({ config }) => config.cronSchedule, '0 * * * * *'],
  ['config.interval', '45s', ({ config }) => [config.interval, config.cronSchedule], ['45s', undefined]],
  ['config.webserver.port', 8090, ({ config }) => config.webserver.port, 8090],
  ['config.webserver.port', '8090', ({ container }) => container.ports.at(-1), { name: 'http', containerPort: 8090, protocol: 'TCP' }],
  ['config.webserver.port', 8081, (all) => all.env('HEADWIND_API_PORT'), '9091'],
  [
    'config.registries',
    [{ hostnamePattern: '*', secret: { type: 'None' } }],
    ({ config }) => config.registries,
    [{ hostnamePattern: '*', secret: { type: 'None' } }],
  ],
  ['config.tls.caCertificatePaths', ['/ca/a.pem'], ({ config }) => config.tls.caCertificatePaths, ['/ca/a.pem']],
  ['config.featureFlags.enableJfrogArtifactoryFallback', true, ({ config }) => config.featureFlags.enableJfrogArtifactoryFallback, true],
  ['config.featureFlags.enableKubectlAnnotation', true, ({ config }) => config.featureFlags.enableKubectlAnnotation, true],
  ['config.polling', { enabled: true, interval: '2m' }, ({ config }) => config.polling, { enabled: true, interval: '2m' }],
  ['env.RUST_LOG', 'warn', (all) => all.env('RUST_LOG'), 'warn'],
  ['env.HEADWIND_POLLING_ENABLED', true, (all) => all.env('HEADWIND_POLLING_ENABLED'), 'true'],
  ['env.HEADWIND_POLLING_INTERVAL', 1000000, (all) => all.env('HEADWIND_POLLING_INTERVAL'), '1000000'],
  ['env.HEADWIND_DRY_RUN', true, (all) => all.env('HEADWIND_DRY_RUN'), 'true'],
  ['env.HEADWIND_API_AUTH_MODE', 'none', (all) => all.env('HEADWIND_API_AUTH_MODE'), 'none'],
  ['env.HEADWIND_API_URL', 'https://api', (all) => all.env('HEADWIND_API_URL'), 'https://api'],
  ['env.HEADWIND_UI_URL', 'https://ui', (all) => all.env('HEADWIND_UI_URL'), 'https://ui'],
  ['env.HEADWIND_CONTROLLERS_ENABLED', false, (all) => all.env('HEADWIND_CONTROLLERS_ENABLED'), 'false'],
  [
    'extraEnv',
    [{ name: 'RUST_LOG', value: 'error' }],
    ({ container }) => container.env.filter(({ name }: any) => name === 'RUST_LOG'),
    [{ name: 'RUST_LOG', value: 'error' }],
  ],
  ['extraEnvFrom', [{ secretRef: { name: 'x' } }], ({ container }) => container.envFrom, [{ secretRef: { name: 'x' } }]],
  ['configMap.create', false, (all) => all.one('ConfigMap', 'release-headwind-config'), undefined],
  [
    'configMap.data',
    { 'polling.interval': 120 },
    (all) => all.one('ConfigMap', 'release-headwind-config')?.['data'],
    { 'polling.interval': '120' },
  ],
  ['watch.ownNamespace', true, (all) => all.env('HEADWIND_WATCH_NAMESPACES'), 'place'],
  ['watch.ownNamespace', true, (all) => all.all('ClusterRole').length + all.all('ClusterRoleBinding').length, 0],
  ['watch.namespaces', ['a', 'b'], (all) => all.env('HEADWIND_WATCH_NAMESPACES'), 'a,b'],
  [
    'watch.namespaces',
    ['a', 'place'],
    (all) => all.all('RoleBinding').map(({ metadata }) => metadata['namespace']),
    ['a', 'place', 'place'],
  ],
  ['rbac.create', false, ({ rights }) => rights, []],
  ['rbac.enabled', false, ({ rights }) => rights, []],
  [
    'rbac.secrets.enabled',
    false,
    (all) => [all.rights.filter((right) => right.startsWith('secrets')), all.env('HEADWIND_WITHHELD_RIGHTS')],
    [[], 'secrets'],
  ],
  [
    'rbac.cronJobs',
    false,
    (all) => [all.rights.filter((right) => right.startsWith('cronjobs')), all.env('HEADWIND_WITHHELD_RIGHTS')],
    [[], 'cronjobs.batch'],
  ],
  ['rbac.podDeletion', false, ({ rights }) => rights.includes('pods: delete'), false],
  ['rbac.peopleRoles', false, (all) => all.one('ClusterRole', 'release-headwind-approver'), undefined],
  [
    'rbac.rules',
    [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    ({ rights }) => rights.filter((right) => right.startsWith('pods')),
    ['pods: get'],
  ],
  ['serviceAccount.create', false, account, undefined],
  [
    'serviceAccount.automount',
    false,
    (all) => [all.one('ServiceAccount')?.['automountServiceAccountToken'], all.pod.automountServiceAccountToken],
    [false, false],
  ],
  ['serviceAccount.annotations', { role: 'x' }, (all) => all.one('ServiceAccount')?.metadata['annotations'], { role: 'x' }],
  [
    'serviceAccount.name',
    'mine',
    (all) => [all.pod.serviceAccountName, all.one('RoleBinding')?.['subjects'][0].name, all.one('ServiceAccount')?.metadata['name']],
    ['mine', 'mine', 'mine'],
  ],
  [
    'serviceAccount.name',
    'mine',
    (all) => [all.pod.serviceAccountName, account(all)],
    ['mine', undefined],
    { serviceAccount: { create: false } },
  ],
  ['crds.install', false, (all) => all.one('CustomResourceDefinition'), undefined],
  ['crds.keep', false, (all) => all.one('CustomResourceDefinition')?.metadata['annotations']?.['helm.sh/resource-policy'], undefined],
  [
    'admissionPolicy.enabled',
    true,
    (all) => [all.one('ValidatingAdmissionPolicy')?.metadata['name'], all.one('ValidatingAdmissionPolicyBinding')?.['spec'].policyName],
    ['release-headwind-annotations', 'release-headwind-annotations'],
  ],
  ['deploymentAnnotations', { a: 'b' }, ({ deployment }) => deployment.metadata['annotations'], { a: 'b' }],
  [
    'podAnnotations',
    { 'prometheus.io/port': '1' },
    ({ deployment }) => deployment['spec'].template.metadata.annotations['prometheus.io/port'],
    '1',
  ],
  ['podLabels', { team: 'ops' }, ({ deployment }) => deployment['spec'].template.metadata.labels.team, 'ops'],
  ['podSecurityContext', { fsGroup: 2000 }, ({ pod }) => [pod.securityContext.fsGroup, pod.securityContext.runAsNonRoot], [2000, true]],
  [
    'securityContext',
    { runAsUser: 2000 },
    ({ container }) => [container.securityContext.runAsUser, container.securityContext.readOnlyRootFilesystem],
    [2000, true],
  ],
  [
    'resources',
    { limits: { memory: '1Gi' } },
    (all) => [all.container.resources.limits, all.env('HEADWIND_MAX_HEAP_MB')],
    [{ cpu: '500m', memory: '1Gi' }, '512'],
  ],
  [
    'livenessProbe',
    { httpGet: { path: '/health/live', port: 'http' } },
    ({ container }) => container.livenessProbe.httpGet,
    { path: '/health/live', port: 'webhook' },
  ],
  [
    'readinessProbe',
    { httpGet: { path: '/health/ready', port: 'http' } },
    ({ container }) => container.readinessProbe.httpGet,
    { path: '/health/ready', port: 'http' },
    { config: { webserver: { port: 3000 } } },
  ],
  [
    'startupProbe',
    probe,
    ({ container }) => container.startupProbe,
    { failureThreshold: 60, periodSeconds: 3, tcpSocket: { port: 'webhook' } },
  ],
  ['nodeSelector', { disk: 'ssd' }, ({ pod }) => pod.nodeSelector, { disk: 'ssd' }],
  ['tolerations', [{ operator: 'Exists' }], ({ pod }) => pod.tolerations, [{ operator: 'Exists' }]],
  ['affinity', { podAffinity: {} }, ({ pod }) => pod.affinity, { podAffinity: {} }],
  [
    'topologySpreadConstraints',
    [{ maxSkew: 1 }],
    ({ pod }) => pod.topologySpreadConstraints?.[0].labelSelector.matchLabels['app.kubernetes.io/instance'],
    'release',
  ],
  ['priorityClassName', 'high', ({ pod }) => pod.priorityClassName, 'high'],
  ['revisionHistoryLimit', 0, ({ deployment }) => deployment['spec'].revisionHistoryLimit, 0],
  ['terminationGracePeriodSeconds', 40, ({ pod }) => pod.terminationGracePeriodSeconds, 40],
  ['dnsConfig', { searches: ['x'] }, ({ pod }) => pod.dnsConfig, { searches: ['x'] }],
  ['podDisruptionBudget.enabled', true, (all) => budgetSpec(all) !== undefined, true],
  ['podDisruptionBudget.minAvailable', 0, (all) => Object.keys(budgetSpec(all) as object).includes('minAvailable'), true, budget],
  ['podDisruptionBudget.maxUnavailable', '50%', (all) => (budgetSpec(all) as any).maxUnavailable, '50%', budget],
  [
    'podDisruptionBudget.unhealthyPodEvictionPolicy',
    'AlwaysAllow',
    (all) => (budgetSpec(all) as any).unhealthyPodEvictionPolicy,
    'AlwaysAllow',
    budget,
  ],
  ['extraVolumes', [{ name: 'tmp', emptyDir: {} }], ({ pod }) => namesOf(pod.volumes), ['headwind-file', 'tmp']],
  ['extraVolumeMounts', [{ name: 'tmp', mountPath: '/tmp' }], ({ container }) => namesOf(container.volumeMounts), ['headwind-file', 'tmp']],
  named('initContainers', 'first'),
  ['sidecars', [{ name: 'beside', image: 'x' }], ({ pod }) => namesOf(pod.containers), ['headwind', 'beside']],
  ['ports.webhook', 8070, (all) => [all.env('HEADWIND_WEBHOOK_PORT'), all.container.ports[0].containerPort], ['8070', 8070]],
  ['ports.api', 8071, (all) => [all.env('HEADWIND_API_PORT'), all.container.ports[1].containerPort], ['8071', 8071]],
  ['ports.metrics', 8072, (all) => [all.env('HEADWIND_METRICS_PORT'), all.container.ports[2].containerPort], ['8072', 8072]],
  ['service.type', 'NodePort', (all) => [...new Set(all.all('Service').map(({ spec }) => spec.type))], ['NodePort']],
  ['service.annotations', { a: 'b' }, (all) => all.one('Service')?.metadata['annotations'], { a: 'b' }],
  ['service.labels', { a: 'b' }, (all) => all.one('Service')?.metadata['labels'].a, 'b'],
  ['service.split', false, service('release-headwind-webhook'), undefined],
  ['service.webhookPort', 80, portsOf('-webhook'), ['80 webhook']],
  ['service.apiPort', 81, portsOf('-api'), ['81 api', '80 api']],
  ['service.metricsPort', 91, portsOf(''), ['8080 webhook', '8081 api', '91 metrics']],
  [
    'ingress.enabled',
    true,
    (all) => all.one('Ingress')?.['spec'].rules[0].http.paths[0].backend.service,
    { name: 'release-headwind', port: { name: 'webhook' } },
  ],
  ['ingress.className', 'nginx', (all) => all.one('Ingress')?.['spec'].ingressClassName, 'nginx', entrance],
  ['ingress.annotations', { a: 'b' }, (all) => all.one('Ingress')?.metadata['annotations'], { a: 'b' }, entrance],
  [
    'ingress.hosts',
    [{ host: 'h', paths: [{ path: '/', backend: 'api' }] }],
    (all) => all.one('Ingress')?.['spec'].rules[0].http.paths[0].backend.service.port.name,
    'api',
    entrance,
  ],
  ['ingress.tls', [{ secretName: 's' }], (all) => all.one('Ingress')?.['spec'].tls, [{ secretName: 's' }], entrance],
  [
    'networkPolicy.enabled',
    true,
    (all) => all.one('NetworkPolicy')?.['spec'].ingress[0].ports.map(({ port }: any) => port),
    [8080, 8081, 9090],
  ],
  ['networkPolicy.policyTypes', ['Ingress'], (all) => all.one('NetworkPolicy')?.['spec'].egress, undefined, policy],
  ['networkPolicy.ingress', [{ from: [] }], (all) => all.one('NetworkPolicy')?.['spec'].ingress, [{ from: [] }], policy],
  ['networkPolicy.egress', [{ to: [] }], (all) => all.one('NetworkPolicy')?.['spec'].egress, [{ to: [] }], policy],
  ...monitor('serviceMonitor', 'ServiceMonitor', 'endpoints'),
  ...monitor('podMonitor', 'PodMonitor', 'podMetricsEndpoints'),
  ['extraManifests', ['kind: Note\nmetadata: {name: "{{ .Release.Name }}"}'], (all) => all.one('Note')?.metadata['name'], 'release'],
  [
    'extraManifests',
    [{ kind: 'Note', metadata: { name: '{{ .Release.Name }}-x' } }],
    (all) => all.one('Note')?.metadata['name'],
    'release-x',
  ],
];

const certificates = [
  { name: 'one', subPath: 'a.crt', mountPath: '/etc/ca/one.crt' },
  { name: 'two', subPath: 'a.crt', mountPath: '/etc/ca/two.crt' },
];
const authorities: Look = ({ config }) => config.tls.caCertificatePaths;

export const valueRows: readonly ValueRow[] = [
  ...rows.map(([path, value, look, is, beside = {}]) => ({ path, values: merged(beside, nested(path, value)), look, is })),
  ...['enabled', 'secrets'].map((key) => ({
    path: `config.tls.customCaCertificates.${key}`,
    values: { config: { tls: { customCaCertificates: { enabled: true, secrets: certificates } } } },
    look: authorities,
    is: certificates.map(({ mountPath }) => mountPath),
  })),
];

function nested(path: string, value: unknown): object {
  return path.split('.').reduceRight<any>((inner, key) => ({ [key]: inner }), value);
}

function merged(a: any, b: any): any {
  if (typeof a !== 'object' || typeof b !== 'object' || Array.isArray(b)) return b;
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [
      key,
      key in a && key in b ? merged(a[key], b[key]) : (b[key] ?? a[key]),
    ]),
  );
}

/** Without the value itself, but with what it needs beside it. */
export function without({ path, values }: ValueRow): object {
  const copy = structuredClone(values) as any;
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  const parent = parts.reduce((node, key) => node?.[key], copy);
  if (parent) delete parent[last];
  return copy;
}
