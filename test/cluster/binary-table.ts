// Which programs the test bed is made of, and from which Go package each one is built.

export const binaryNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'registry',
  'kwok',
  'helm',
] as const;
export type BinaryName = (typeof binaryNames)[number];

/** What a running test bed consists of; helm is for the tests of the chart alone. */
export const clusterBinaries: readonly BinaryName[] = binaryNames.filter((name) => name !== 'helm');

export type GroupName = 'kube' | 'etcd' | 'registry' | 'kwok' | 'helm';

export interface Group {
  readonly name: GroupName;
  readonly ldflags: string;
  /** How many packages a build compiles at most, roughly: only for the progress line. */
  readonly packages: number;
}

const version = 'k8s.io/component-base/version';
const kubeVersion = [
  `-X ${version}.gitVersion=v1.36.2`,
  `-X ${version}.gitMajor=1`,
  `-X ${version}.gitMinor=36`,
  `-X ${version}.gitTreeState=clean`,
  `-X ${version}.gitCommit=unknown`,
  `-X ${version}.buildDate=2026-01-01T00:00:00Z`,
].join(' ');

/** In the order in which they are built: what everything else waits for comes first. */
export const groups: readonly Group[] = [
  { name: 'kube', ldflags: `-s -w ${kubeVersion}`, packages: 2400 },
  { name: 'etcd', ldflags: '-s -w', packages: 570 },
  { name: 'registry', ldflags: '-s -w', packages: 570 },
  { name: 'kwok', ldflags: '-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0', packages: 970 },
  { name: 'helm', ldflags: '-s -w -X helm.sh/helm/v4/internal/version.version=v4.2.4', packages: 1200 },
];

interface Binary {
  readonly group: GroupName;
  readonly goPackage: string;
  /** Arguments that make it print its version. */
  readonly versionArgs: readonly string[];
  /** Versions we can work with, as [major, minor] from and to, both included. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

const kube = (name: string, from: readonly [number, number] = [1, 33]): Binary => ({
  group: 'kube',
  goPackage: `k8s.io/kubernetes/cmd/${name}`,
  versionArgs: name === 'kubectl' ? ['version', '--client'] : ['--version'],
  from,
  to: [1, 36],
});

export const binaries: Readonly<Record<BinaryName, Binary>> = {
  etcd: { group: 'etcd', goPackage: 'go.etcd.io/etcd/server/v3', versionArgs: ['--version'], from: [3, 5], to: [3, 99] },
  'kube-apiserver': kube('kube-apiserver'),
  'kube-controller-manager': kube('kube-controller-manager'),
  'kube-scheduler': kube('kube-scheduler'),
  kubectl: kube('kubectl', [1, 32]),
  registry: {
    group: 'registry',
    goPackage: 'testbed.local/registry',
    versionArgs: ['--version'],
    from: [3, 0],
    to: [3, 99],
  },
  kwok: { group: 'kwok', goPackage: 'sigs.k8s.io/kwok/cmd/kwok', versionArgs: ['--version'], from: [0, 8], to: [0, 8] },
  helm: { group: 'helm', goPackage: 'helm.sh/helm/v4/cmd/helm', versionArgs: ['version', '--short'], from: [4, 0], to: [4, 99] },
};

/** Whether `text`, as printed by the program, names a version that we can work with. */
export function isUsableVersion(name: BinaryName, text: string): boolean {
  const [, major, minor] = /(?:^|[\sv])(\d+)\.(\d+)(?:\.\d+)?/m.exec(text.replaceAll(/go\d\S*/g, '')) ?? [];
  if (major === undefined || minor === undefined) return false;
  const found = Number(major) * 1000 + Number(minor);
  const { from, to } = binaries[name];
  return found >= from[0] * 1000 + from[1] && found <= to[0] * 1000 + to[1];
}
