import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCommand } from '../../test/fakes/command-io.ts';
import { readManifestWorkload } from '../compose/manifest-workload.ts';
import { readUnseenManifest } from '../compose/unseen-manifest.ts';
import { validateCommand } from './validate.ts';

function aManifest(annotations: string, options: { image?: string; kind?: string; template?: string } = {}): string {
  const { image = 'nginx:1.25', kind = 'Deployment', template = '{}' } = options;
  return `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: web, namespace: shop, annotations: {${annotations}}}
spec: {template: {metadata: {annotations: ${template}}, spec: {containers: [{name: web, image: "${image}"}]}}}\n`;
}

function aLabelled(options: { labels?: string; annotations?: string; template?: string; container?: string } = {}): string {
  const { labels = 'kube-autorollout/enabled: "true"', annotations = '', template = '' } = options;
  const { container = 'image: "nginx:main", imagePullPolicy: Always' } = options;
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, labels: {${labels}}, annotations: {${annotations}}}
spec: {template: {metadata: {${template}}, spec: {containers: [{name: web, ${container}}]}}}\n`;
}

async function run(args: string, files: Readonly<Record<string, string>>) {
  const options: Parameters<typeof validateCommand>[0] = {
    readWorkload: ({ object }) => readManifestWorkload(object, 'default'),
    readUnread: ({ object }) => readUnseenManifest(object, 'default'),
  };
  return runCommand((io) => validateCommand({ ...options, io }), args.split(' ').filter(Boolean), files);
}

type Row = readonly [title: string, manifest: string, code: number, says: RegExp];
const table: readonly Row[] = [
  ['good annotations', aManifest('headwind.sh/policy: minor, headwind.sh/min-update-interval: 5m'), 0, /^$/],
  ['no annotation of ours', aManifest('other: x', { image: 'Not An Image' }), 0, /^$/],
  [
    'an unknown policy',
    aManifest('headwind.sh/policy: sometimes'),
    1,
    /^web\.yaml:1: Deployment shop\/web: problem: InvalidAnnotation: headwind\.sh\/policy is "sometimes"/,
  ],
  [
    'a misspelt key',
    aManifest('headwind.sh/policy: minor, headwind.sh/require-aproval: "true"'),
    1,
    /UnknownAnnotation: .*did you mean headwind\.sh\/require-approval\?/,
  ],
  ['a container that is not there', aManifest('headwind.sh/policy: minor, headwind.sh/policy.wbe: none'), 1, /did you mean web\?/],
  [
    'an annotation that is no text',
    aManifest('headwind.sh/policy: minor, headwind.sh/require-approval: false'),
    1,
    /require-approval is false, which is no text: write it in quotes/,
  ],
  ['no policy', aManifest('headwind.sh/require-approval: "false"'), 1, /headwind\.sh\/policy is missing/],
  ['a policy on the pod template', aManifest('', { template: '{headwind.sh/policy: minor}' }), 1, /stands on the pod template/],
  [
    'an image that cannot be read',
    aManifest('headwind.sh/policy: minor', { image: 'nginx:a b' }),
    1,
    /InvalidReference: web: the image "nginx:a b" has an invalid tag/,
  ],
  ['images that mean nothing', aManifest('headwind.sh/policy: minor, headwind.sh/images: redis'), 1, /NoContainerMatches/],
  ['glob without a pattern', aManifest('headwind.sh/policy: glob'), 1, /PatternMissing: web: policy glob needs headwind\.sh\/pattern/],
  ['a bad range', aManifest('"headwind.sh/policy": "semver:>= x y"'), 1, /InvalidAnnotation/],
  ['!=*', aManifest('"headwind.sh/policy": "semver:!=*"'), 0, /warning: InvalidAnnotation: web: !=\* excludes only 0\.0\.0/],
  ['a range that lets prereleases in', aManifest('"headwind.sh/policy": "semver:>=1.0.0-0 <2.0.0"'), 0, /warning: .*write <2\.0\.0-0/],
  [
    'annotations on a kind that is not managed',
    aManifest('headwind.sh/policy: minor', { kind: 'ReplicaSet' }),
    1,
    /ReplicaSet shop\/web: problem: InvalidAnnotation: annotations headwind\.sh\/\* have no effect here: only Deployment, /,
  ],
  [
    'a release of a chart',
    aManifest('headwind.sh/policy: minor', { kind: 'HelmRelease' }),
    0,
    /warning: .*HelmRelease have no effect in this version/,
  ],
  ['another kind without annotations of ours', aManifest('other: x', { kind: 'ReplicaSet' }), 0, /^$/],
  [
    'a workload of an old version',
    aManifest('headwind.sh/policy: minor').replace('apps/v1', 'extensions/v1beta1'),
    1,
    /the apiVersion is "extensions\/v1beta1": only a Deployment of apps\/v1 is managed/,
  ],
  [
    'a patch without containers',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {headwind.sh/policy: minor, headwind.sh/policy.web: none}}\n',
    0,
    /^web\.yaml:1: Deployment default\/web: warning: InvalidAnnotation: it has no name, or no containers[^\n]*\n$/,
  ],
  [
    'a bad value in a patch without containers',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {headwind.sh/policy: sometimes, headwind.sh/adopt: true}}\n',
    1,
    /headwind\.sh\/adopt is true, which is no text[^]*headwind\.sh\/policy is "sometimes"/,
  ],
  ['the label of kube-autorollout', aLabelled(), 0, /^$/],
  ['the label set to false', aLabelled({ labels: 'kube-autorollout/enabled: "false"' }), 0, /^$/],
  [
    'the label with another value',
    aLabelled({ labels: 'kube-autorollout/enabled: "True"' }),
    1,
    /problem: InvalidAnnotation: the label kube-autorollout\/enabled is "True": only the text "true" counts, so nobody restarts it/,
  ],
  [
    'the label without quotes',
    aLabelled({ labels: 'kube-autorollout/enabled: true' }),
    1,
    /the label kube-autorollout\/enabled is true: only the text "true" counts/,
  ],
  [
    'the label as an annotation',
    aLabelled({ labels: 'a: b', annotations: 'kube-autorollout/enabled: "true"' }),
    1,
    /problem: InvalidAnnotation: kube-autorollout\/enabled stands among the annotations, where nobody reads it: make it a label of the workload/,
  ],
  [
    'the label on the pod template',
    aLabelled({ labels: 'a: b', template: 'labels: {kube-autorollout/enabled: "true"}' }),
    1,
    /kube-autorollout\/enabled stands on the pod template, where nobody reads it: make it a label of the workload/,
  ],
  ['the label in both places', aLabelled({ template: 'labels: {kube-autorollout/enabled: "true"}' }), 0, /^$/],
  [
    'a labelled workload that would not pull',
    aLabelled({ container: 'image: "nginx:main"' }),
    0,
    /^web\.yaml:1: Deployment shop\/web: warning: PullPolicyNotAlways: web: imagePullPolicy is IfNotPresent[^\n]*\n$/,
  ],
  [
    'a labelled workload that is pinned',
    aLabelled({ container: `image: "nginx:main@sha256:${'a'.repeat(64)}", imagePullPolicy: Always` }),
    0,
    /warning: DigestPinned: web: /,
  ],
  [
    'a labelled CronJob',
    aLabelled()
      .replace('apps/v1', 'batch/v1')
      .replace('Deployment', 'CronJob')
      .replace('{template', '{jobTemplate: {spec: {template')
      .replace(/\n$/, '}}\n'),
    0,
    /warning: NoRollout: web: /,
  ],
  ['a regex without anchors', aManifest('"headwind.sh/policy": "regex:1"'), 0, /warning: .*has no \^/],
];

describe('cli/validate', () => {
  for (const [title, manifest, code, says] of table) {
    it(`${title} ends with ${code}`, async () => {
      const found = await run('-f web.yaml', { 'web.yaml': manifest });
      assert.equal(found.code, code, found.stdout + found.stderr);
      assert.match(found.stdout, says);
    });
  }

  it('reads several documents, lists, JSON, directories and standard input', async () => {
    const bad = aManifest('headwind.sh/policy: sometimes');
    const files = {
      'apps/a.yaml': `---\nkind: ConfigMap\n---\n${bad}`,
      'apps/b.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          {
            apiVersion: 'batch/v1',
            kind: 'CronJob',
            metadata: { name: 'report', annotations: { 'headwind.sh/policy': 'x' } },
            spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1' }] } } } } },
          },
        ],
      }),
      '-': bad,
    };
    const { code, stdout, stderr } = await run('-f apps -f -', files);
    assert.equal(code, 1);
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split(': problem')[0]),
      ['apps/a.yaml:2: Deployment shop/web', 'apps/b.json:1: CronJob default/report', 'standard input:1: Deployment shop/web', ''],
    );
    assert.match(stderr, /3 annotated workloads, 3 problems, 0 warnings/);
  });

  it('-o json names file, document, object, key and sentence', async () => {
    const { stdout } = await run('-f web.yaml -o json', { 'web.yaml': aManifest('headwind.sh/policy: sometimes') });
    const { workloads, findings } = JSON.parse(stdout);
    const { message, ...finding } = findings[0];
    assert.equal(workloads, 1);
    assert.match(message, /unknown policy "sometimes"/);
    assert.deepEqual(finding, {
      file: 'web.yaml',
      document: 1,
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      container: null,
      key: 'headwind.sh/policy',
      severity: 'problem',
      reason: 'InvalidAnnotation',
    });
  });

  const unreadable: readonly (readonly [title: string, args: string, stderr: RegExp])[] = [
    ['a file that is not there', '-f none.yaml', /cannot read none\.yaml: no such file/],
    ['a template', '-f template.yaml', /template\.yaml.*; a template of Helm is rendered first: helm template \. and -f -/],
    ['no file', '', /required option/],
  ];
  for (const [title, args, stderr] of unreadable) {
    it(`${title} ends with 2 and prints nothing`, async () => {
      const found = await run(args, { 'template.yaml': 'kind: {{ .Values.kind }}\n  x: [' });
      assert.deepEqual([found.code, found.stdout], [2, '']);
      assert.match(found.stderr, stderr);
    });
  }
});
