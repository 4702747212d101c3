import type { KubeClient, KubeObject, Manifest } from '../test/cluster/kube-client.ts';

/** The Deployments of the bench: about 7 kB of JSON each, as those of real clusters, without pods. */

export interface WorkloadOptions {
  readonly namespace: string;
  readonly name: string;
  /** Of the container `app`, with its tag. */
  readonly image: string;
  /** Of a second container. */
  readonly sidecar?: string | undefined;
  readonly pullSecret?: string;
}

const perNamespace = 200;
/** Stands twice in the status of each. */
export const settledAt = '2026-01-01T00:00:00Z';
export const firstTag = '1.0.0';
export const sidecarRepository = 'platform/proxy';

export function namespaceOf(index: number): string {
  return `team-${String(Math.floor(index / perNamespace)).padStart(3, '0')}`;
}

export function nameOf(index: number): string {
  return `service-${String(index).padStart(5, '0')}`;
}

/** Each workload has an image of its own: nothing is shared but the sidecar that every third has. */
export function repositoryOf(index: number): string {
  return `${namespaceOf(index)}/${nameOf(index)}`;
}

export const pathOf = (namespace: string, name = ''): string => `/apis/apps/v1/namespaces/${namespace}/deployments${name && `/${name}`}`;

export async function createNamespace(admin: KubeClient, name: string, withAccount: boolean): Promise<void> {
  const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } };
  const { status } = await admin.request('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  if (status === 201 && withAccount) {
    await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
  }
}

/** Creates it and leaves it as a Deployment controller would. */
export async function createWorkload(admin: KubeClient, options: WorkloadOptions): Promise<KubeObject> {
  const path = pathOf(options.namespace, options.name);
  const { status, body } = await admin.request('POST', `${pathOf(options.namespace)}?fieldManager=helm`, deployment(options));
  if (status !== 201) throw new Error(`${options.name} was not created: ${status} ${JSON.stringify(body)}`);
  return admin.patch(`${path}/status?fieldManager=kube-controller-manager`, { status: settled() });
}

/** The status of a Deployment without replicas that its controller has seen. */
function settled(): object {
  const times = { lastTransitionTime: settledAt, lastUpdateTime: settledAt };
  return {
    observedGeneration: 1,
    conditions: [
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.', ...times },
      {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: 'ReplicaSet has successfully progressed.',
        ...times,
      },
    ],
  };
}

/** So many requests at a time. */
export async function inParallel<T>(items: readonly T[], run: (item: T, position: number) => Promise<void>, width = 32): Promise<void> {
  let next = 0;
  const workers = Array.from({ length: width }, async () => {
    for (let position = next++; position < items.length; position = next++) await run(items[position]!, position);
  });
  await Promise.all(workers);
}

function deployment({ namespace, name, image, sidecar, pullSecret }: WorkloadOptions): Manifest {
  const labels = labelsOf(name);
  const containers = [container('app', image, name), ...(sidecar === undefined ? [] : [container('proxy', sidecar, name)])];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      labels: { ...labels, 'helm.sh/chart': 'service-4.18.2', 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': name,
        'meta.helm.sh/release-namespace': namespace,
        'headwind.sh/policy': 'patch',
        'headwind.sh/require-approval': 'false',
        'headwind.sh/min-update-interval': '0',
        'headwind.sh/event-source': 'both',
      },
    },
    spec: {
      replicas: 0,
      revisionHistoryLimit: 3,
      selector: { matchLabels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: {
        metadata: {
          labels,
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102', 'checksum/config': name.repeat(4) },
        },
        spec: {
          ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
          containers,
          securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: { type: 'RuntimeDefault' } },
          volumes: [{ name: 'config', configMap: { name: `${name}-config` } }],
        },
      },
    },
  };
}

function labelsOf(name: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/component': 'backend',
    'app.kubernetes.io/part-of': 'shop',
    'app.kubernetes.io/version': '2026.1',
    'example.com/team': 'payments',
    'example.com/cost-center': 'cc-4711',
  };
}

function container(name: string, image: string, workload: string): object {
  const variables = ['LOG_LEVEL', 'HTTP_PORT', 'DATABASE_HOST', 'DATABASE_NAME'];
  const probe = {
    httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
    initialDelaySeconds: 5,
    periodSeconds: 10,
    timeoutSeconds: 2,
  };
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['serve', '--config=/etc/service/config.yaml', '--listen=:8080'],
    ports: [{ name: name === 'app' ? 'http' : 'proxy', containerPort: name === 'app' ? 8080 : 15001, protocol: 'TCP' }],
    env: [
      ...variables.map((variable) => ({ name: variable, value: `${variable.toLowerCase()}.${workload}.svc.cluster.local` })),
      { name: 'DATABASE_PASSWORD', valueFrom: { secretKeyRef: { name: `${workload}-database`, key: 'password' } } },
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    ],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    ...(name === 'app' && { livenessProbe: probe, readinessProbe: { ...probe, periodSeconds: 5 } }),
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'config', mountPath: '/etc/service', readOnly: true }],
  };
}
