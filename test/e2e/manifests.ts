import type { Manifest } from '../cluster/kube-client.ts';
import { onKwok } from '../cluster/kwok.ts';

/** What differs between the kinds, for tests that say the same of all of them. */
export const kinds = {
  Deployment: { apiVersion: 'apps/v1', resource: 'deployments', revisions: 'replicasets' },
  StatefulSet: { apiVersion: 'apps/v1', resource: 'statefulsets', revisions: 'controllerrevisions' },
  DaemonSet: { apiVersion: 'apps/v1', resource: 'daemonsets', revisions: 'controllerrevisions' },
  CronJob: { apiVersion: 'batch/v1', resource: 'cronjobs', revisions: undefined },
} as const;
export type Kind = keyof typeof kinds;

export interface WorkloadOptions {
  readonly kind?: Kind;
  readonly name?: string;
  /** Of the only container, `app`. */
  readonly image?: string;
  /** Instead of `image`: container → image. */
  readonly containers?: Readonly<Record<string, string>>;
  readonly initContainers?: Readonly<Record<string, string>>;
  /** Keys go without `headwind.sh/`; the policy is `minor` unless they say otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the pods; by default they run on the nodes that kwok plays. */
  readonly podSpec?: object;
  /** Of the workload itself. */
  readonly spec?: object;
}

/** A workload with one pod, small deadlines, and the settings as annotations. */
export function workload(options: WorkloadOptions): Manifest {
  const { kind = 'Deployment', name = 'app', settings = {} } = options;
  const annotations = Object.entries({ policy: 'minor', ...settings }).map(([key, value]) => [`headwind.sh/${key}`, value]);
  return {
    apiVersion: kinds[kind].apiVersion,
    kind,
    metadata: { name, annotations: Object.fromEntries(annotations) },
    spec: kind === 'CronJob' ? cronJobSpec(options) : { ...rolloutSpec(kind, options), ...options.spec },
  };
}

function rolloutSpec(kind: Kind, options: WorkloadOptions): object {
  const labels = { app: (options.name ?? 'app').slice(0, 63) };
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(options) },
    ...(kind === 'Deployment' && { replicas: 1, progressDeadlineSeconds: 5 }),
    ...(kind === 'StatefulSet' && { replicas: 1, serviceName: 'none' }),
  };
}

function cronJobSpec(options: WorkloadOptions): object {
  const template = { spec: { restartPolicy: 'Never', ...podSpec(options) } };
  return { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } };
}

function podSpec({ image = '', containers = { app: image }, initContainers = {}, podSpec = onKwok }: WorkloadOptions): object {
  const listOf = (images: Readonly<Record<string, string>>) => Object.entries(images).map(([name, each]) => ({ name, image: each }));
  return {
    terminationGracePeriodSeconds: 0,
    containers: listOf(containers),
    ...(Object.keys(initContainers).length > 0 && { initContainers: listOf(initContainers) }),
    ...podSpec,
  };
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** A pull secret as `kubectl create secret docker-registry` makes it. */
export function pullSecret(name: string, registry: { host: string }, username: string, password: string): Manifest {
  return pullSecrets(name, [[registry, { username, password }]]);
}

/** The same, with several registries in it. */
export function pullSecrets(name: string, entries: readonly (readonly [{ readonly host: string }, Login])[]): Manifest {
  const auths = entries.map(([{ host }, { username, password }]) => {
    return [host, { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') }];
  });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: Object.fromEntries(auths) }) },
  };
}

/** A ValidatingAdmissionPolicy, with its binding, that refuses in the namespace what the expression does not allow. */
export function refusal(namespace: string, resourceRule: object, expression: string, message: string): Manifest[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: `refusal-${namespace}` };
  const validations = [{ expression, message }];
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  return [
    { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec: { matchConstraints: { resourceRules: [resourceRule] }, validations } },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'], matchResources },
    },
  ];
}
