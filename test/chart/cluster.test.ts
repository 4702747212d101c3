import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it, type TestContext } from 'node:test';
import type { ClusterAccess } from '../cluster/access.ts';
import type { Manifest } from '../cluster/kube-client.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { example, preset, render, type Rendered, type RenderOptions } from './render.ts';

const everything = {
  podDisruptionBudget: { enabled: true },
  networkPolicy: { enabled: true },
  ingress: { enabled: true, className: 'nginx', tls: [{ secretName: 'tls', hosts: ['headwind.example.com'] }] },
  admissionPolicy: { enabled: true },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' }],
  dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
  extraEnv: [{ name: 'EXTRA', value: 'x' }],
  extraVolumes: [{ name: 'tmp', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  livenessProbe: { tcpSocket: { port: 'http' } },
  config: { webserver: { port: 3000 } },
};

const renders: readonly (readonly [title: string, values: object | string, options?: RenderOptions])[] = [
  ['no values', {}],
  ['every switch', everything],
  ['the preset of kube-autorollout', {}, { files: [preset] }],
  ['the registries of its readme', example('registries'), { files: [preset] }],
  ['all values of kube-autorollout', example('all-values'), { files: [preset] }],
  ['the authorities of its readme', example('custom-ca'), { files: [preset] }],
  ['an authority in a folder that is taken', example('custom-ca').replace('/etc/secrets/ca/', '/etc/ssl/certs/'), { files: [preset] }],
  ['a long name', {}, { release: `${'long-'.repeat(10)}x` }],
];

describe('test/chart/cluster', () => {
  let cluster: ClusterAccess;
  before(async () => {
    ({ cluster } = await sharedCluster());
  });

  async function aNamespace(t: TestContext, labels: Record<string, string> = {}): Promise<string> {
    const namespace = await cluster.namespace('chart', labels);
    t.after(() => namespace.delete());
    return namespace.name;
  }

  /** What the API server says of each object; nothing is stored. The custom resource is there, and belongs to others. */
  async function refusals(rendered: Rendered, watched: readonly string[] = []): Promise<string[]> {
    const said: string[] = [];
    for (const object of rendered.objects.filter(({ metadata }) => !watched.includes(metadata['namespace']))) {
      const path = await cluster.admin.pathOf(object);
      const query = '?dryRun=All&force=true&fieldValidation=Strict&fieldManager=helm';
      const { status, body } = await cluster.admin.request('PATCH', `${path}${query}`, object, 'application/apply-patch+yaml');
      if (status >= 300) said.push(`${object.kind} ${object.metadata['name']}: ${body?.message}`);
    }
    return said;
  }

  for (const [title, values, options] of renders) {
    it(`${title}: every object is accepted by the API server`, async (t) => {
      const namespace = await aNamespace(t);
      const release = options?.release ?? `r${randomBytes(3).toString('hex')}`;
      assert.deepEqual(await refusals(await render(values, { ...options, namespace, release })), []);
    });

    it(`${title}: the pods are admitted under restricted pod security`, async (t) => {
      const namespace = await aNamespace(t, { 'pod-security.kubernetes.io/enforce': 'restricted' });
      const { deployment } = await render(values, { ...options, namespace });
      const { status, body } = await cluster.admin.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf(deployment));
      assert.equal(status, 201, body?.message);
    });
  }

  it('restricted pod security is in force in such a namespace', async (t) => {
    const namespace = await aNamespace(t, { 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { deployment } = await render({ securityContext: { allowPrivilegeEscalation: true } }, { namespace });
    const { status, body } = await cluster.admin.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf(deployment));
    assert.equal(status, 403);
    assert.match(body.message, /restricted/);
  });

  it('a list of namespaces: Roles in each of them are accepted', async (t) => {
    const [home, a, b] = await Promise.all([aNamespace(t), aNamespace(t), aNamespace(t)]);
    const rendered = await render({ watch: { namespaces: [a!, b!] } }, { namespace: home! });
    assert.deepEqual(
      rendered
        .all('Role')
        .map(({ metadata }) => String(metadata['namespace']))
        .toSorted(),
      [home!, ...Array.from({ length: 4 }, () => a!), ...Array.from({ length: 4 }, () => b!)].toSorted(),
    );
    assert.deepEqual(await refusals(rendered), []);
  });
});

/** As its controller would make it, with the account that every namespace has. */
function podOf({ spec }: Manifest): object {
  const { metadata, spec: pod } = spec.template;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'headwind' }, spec: { ...pod, serviceAccountName: 'default' } };
}
