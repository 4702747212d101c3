export type ComponentName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly api: number;
  readonly controllerManager: number;
  readonly scheduler: number;
}

export interface ComponentOptions {
  readonly ports: Ports;
  readonly scale: boolean;
  readonly audit: boolean;
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly apiServerArgs: readonly string[];
}

const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
  'job-controller',
  'cronjob-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'disruption-controller',
  'pod-garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'endpointslice-controller',
  'ttl-after-finished-controller',
];
const serving = ['--bind-address=127.0.0.1', '--tls-cert-file=apiserver.crt', '--tls-private-key-file=apiserver.key'];
// Their defaults, 20 and 50 requests a second, make large rollouts slow.
const fast = ['--kube-api-qps=500', '--kube-api-burst=1000'];

/** Command-line arguments; every file is named relative to the state folder, in which all of them run. */
export function argsOf(name: ComponentName, options: ComponentOptions): readonly string[] {
  return { etcd, 'kube-apiserver': apiServer, 'kube-controller-manager': controllerManager, 'kube-scheduler': scheduler }[name](options);
}

function etcd({ ports, scale }: ComponentOptions): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    '--data-dir=etcd',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    ...(scale ? ['--quota-backend-bytes=8589934592'] : []),
  ];
}

function apiServer({ ports, audit, featureGates, apiServerArgs }: ComponentOptions): readonly string[] {
  const gates = Object.entries(featureGates).map(([gate, isOn]) => `${gate}=${isOn}`);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    ...serving,
    `--secure-port=${ports.api}`,
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--client-ca-file=ca.crt',
    '--token-auth-file=tokens.csv',
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-account-key-file=sa.pub',
    '--service-account-signing-key-file=sa.key',
    '--service-cluster-ip-range=10.0.0.0/24',
    // Else every new Node keeps its not-ready taint for ever: no node-lifecycle-controller runs here.
    '--disable-admission-plugins=TaintNodesByCondition',
    '--profiling=false',
    ...(audit ? ['--audit-policy-file=audit-policy.yaml', '--audit-log-path=audit.log', '--audit-log-maxsize=8000'] : []),
    ...(audit ? ['--audit-log-mode=blocking'] : []),
    ...(gates.length > 0 ? [`--feature-gates=${gates.join(',')}`] : []),
    ...apiServerArgs,
  ];
}

function controllerManager({ ports, scale }: ComponentOptions): readonly string[] {
  return [
    '--kubeconfig=controller-manager.kubeconfig',
    ...serving,
    `--secure-port=${ports.controllerManager}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    '--service-account-private-key-file=sa.key',
    '--root-ca-file=ca.crt',
    `--controllers=${controllers.join(',')}`,
    ...(scale ? [...fast, '--concurrent-deployment-syncs=20', '--concurrent-replicaset-syncs=20'] : []),
  ];
}

function scheduler({ ports, scale }: ComponentOptions): readonly string[] {
  return [
    '--kubeconfig=scheduler.kubeconfig',
    ...serving,
    `--secure-port=${ports.scheduler}`,
    '--leader-elect=false',
    ...(scale ? fast : []),
  ];
}
