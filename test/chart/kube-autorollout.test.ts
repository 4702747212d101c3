import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPage } from '../self/markdown.ts';
import { example, mistakesIn, preset, render } from './render.ts';

const opaque = (name: string, key: string, more: object = {}) => ({ type: 'Opaque', name, key, ...more });
const registries = (...secrets: readonly object[]) => ({
  config: { registries: secrets.map((secret, index) => ({ hostnamePattern: `host-${index}`, secret })) },
});
const authority = (mountPath: string, name = 'ca') => ({ name, subPath: 'ca.crt', mountPath });
const authorities = (...secrets: readonly object[]) => ({ config: { tls: { customCaCertificates: { enabled: true, secrets } } } });

/** Tokens that would be something else, were they put into a text. */
const oddTokens = [
  'a"b',
  "a'b",
  'a: b',
  'a #b',
  'a\nb: c',
  '- a',
  '{{ .Release.Name }}',
  '{a: b}',
  '*a',
  '&a',
  '!a',
  '|',
  'true',
  '123',
  ' a ',
  '\t',
  'ä€',
  '%',
  '@a',
  '`',
];

describe('test/chart/kube-autorollout', { concurrency: 4 }, () => {
  for (const name of ['registries', 'kubectl-annotation', 'custom-ca', 'all-values']) {
    for (const files of [[], [preset]]) {
      it(`the example ${name} is accepted${files.length > 0 ? ', in its own namespace' : ''}`, async () => {
        const rendered = await render(example(name), { files, release: 'kube-autorollout' });
        assert.deepEqual(await mistakesIn(rendered), []);
        assert.equal(rendered.deployment.metadata['name'], 'kube-autorollout-headwind');
      });
    }
  }

  it('probes that name the port http reach the health routes, and hardening stays', async () => {
    const { container, pod } = await render(example('all-values'));
    assert.deepEqual(container.livenessProbe.httpGet, { path: '/health/live', port: 'webhook' });
    assert.deepEqual(container.readinessProbe.httpGet, { path: '/health/ready', port: 'webhook' });
    assert.deepEqual([container.securityContext.readOnlyRootFilesystem, pod.securityContext.runAsNonRoot], [true, true]);
  });

  it('the example registries becomes folders, variables and entries in their order', async () => {
    const rendered = await render(example('registries'));
    const variable = rendered.config.registries[2].secret.token;
    const name = variable.slice(2, -1);
    assert.deepEqual(rendered.config.registries, [
      { hostnamePattern: 'ghcr.io', secret: { type: 'ImagePullSecret', mountPath: '/etc/secrets/registries/ghcr.io' } },
      { hostnamePattern: 'docker.io', secret: { type: 'ImagePullSecret', mountPath: '/etc/secrets/registries/docker.io' } },
      { hostnamePattern: '*.artifactory.example.com', secret: { type: 'Opaque', token: variable } },
      { hostnamePattern: 'another-artifactory.example.com', secret: { type: 'Opaque', token: variable } },
    ]);
    assert.deepEqual(rendered.env(name), { secretKeyRef: { name: 'jfrog-artifactory-registry-creds', key: 'IDENTITY_TOKEN' } });
    const mounted = rendered.container.volumeMounts.slice(1).map(({ name, ...mount }: any) => {
      return { ...mount, secret: rendered.pod.volumes.find((volume: any) => volume.name === name).secret.secretName };
    });
    assert.deepEqual(mounted, [
      { mountPath: '/etc/secrets/registries/ghcr.io', readOnly: true, secret: 'ghcr-io-registry-creds' },
      { mountPath: '/etc/secrets/registries/docker.io', readOnly: true, secret: 'docker-io-registry-creds' },
    ]);
    assert.equal(rendered.env('CONFIG_FILE'), `${rendered.container.volumeMounts[0].mountPath}/config.yaml`);
  });

  it('variables have their names from Secret and key: what is not the same never shares one', async () => {
    const secrets = [
      opaque('a', 'b-c'),
      opaque('a-b', 'c'),
      opaque('a', 'b_c'),
      opaque('a', 'b.c'),
      opaque('a.b', 'c'),
      opaque('a', 'b-c'),
    ];
    const rendered = await render(registries(...secrets));
    const names: string[] = rendered.container.env.map(({ name }: any) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.every((name) => /^[A-Z][A-Z0-9_]*$/.test(name)));
    const references = rendered.config.registries.map(({ secret }: any) => rendered.env(secret.token.slice(2, -1)).secretKeyRef);
    assert.deepEqual(
      references,
      secrets.map(({ name, key }) => ({ name, key })),
    );
  });

  for (const token of oddTokens) {
    it(`the token ${JSON.stringify(token)} stays one token, and out of the ConfigMap`, async () => {
      const rendered = await render(registries(opaque('given', 'key', { token, username: token }), { type: 'None' }));
      const [first, second] = rendered.config.registries;
      assert.deepEqual(Object.keys(first.secret).toSorted(), ['token', 'type', 'username']);
      assert.equal(first.secret.username, token);
      assert.deepEqual(second, { hostnamePattern: 'host-1', secret: { type: 'None' } });
      const { name, key } = rendered.env(first.secret.token.slice(2, -1)).secretKeyRef;
      assert.equal(Buffer.from(rendered.one('Secret', name)?.['data'][key], 'base64').toString(), token);
      assert.deepEqual(await mistakesIn(rendered), []);
    });
  }

  it('a token that names a variable is left as it is', async () => {
    const rendered = await render({ ...registries({ type: 'Opaque', token: '${MINE}' }), extraEnv: [{ name: 'MINE', value: 'x' }] });
    assert.equal(rendered.config.registries[0].secret.token, '${MINE}');
    assert.equal(rendered.one('Secret'), undefined);
  });

  it('the values of docs/install.md are accepted', async () => {
    const block = readPage('docs/install.md').blocks.find(({ text }) => text.startsWith('# values.yaml'));
    const rendered = await render(block!.text);
    assert.deepEqual(await mistakesIn(rendered), []);
    assert.match(rendered.container.image, /^registry\.example\.com\/platform\/headwind:/);
  });

  it('what is null is not there', async () => {
    const rendered = await render(registries({ type: 'Opaque', name: 'a', key: 'b', username: null, token: null, mountPath: null }));
    assert.deepEqual(Object.keys(rendered.config.registries[0].secret).toSorted(), ['token', 'type']);
    assert.deepEqual(await mistakesIn(rendered), []);
  });

  it('a Secret at the same place for two registries is mounted once', async () => {
    const secret = { type: 'ImagePullSecret', name: 'both', mountPath: '/etc/secrets/both' };
    const rendered = await render(registries(secret, secret, { ...secret, mountPath: '/etc/secrets/again' }));
    assert.deepEqual(
      rendered.container.volumeMounts.slice(1).map(({ mountPath }: any) => mountPath),
      ['/etc/secrets/both', '/etc/secrets/again'],
    );
    assert.equal(rendered.pod.volumes.length, 2);
  });

  it('authorities of one folder are one mounted folder, in which new ones arrive', async () => {
    const rendered = await render(authorities(authority('/etc/secrets/ca/a.crt', 'one'), authority('/etc/secrets/ca/b.crt', 'two')));
    const [, mount, ...others] = rendered.container.volumeMounts;
    assert.deepEqual([mount.mountPath, mount.subPath, others], ['/etc/secrets/ca', undefined, []]);
    assert.deepEqual(rendered.pod.volumes[1].projected.sources, [
      { secret: { name: 'one', items: [{ key: 'ca.crt', path: 'a.crt' }] } },
      { secret: { name: 'two', items: [{ key: 'ca.crt', path: 'b.crt' }] } },
    ]);
  });

  for (const [path, beside] of [
    ['/ca.crt'],
    ['/etc/ca.crt'],
    ['/etc/ssl/certs/ca.crt'],
    ['/usr/local/share/ca-certificates/ca.crt'],
    ['/etc/secrets/ca.crt', '/etc/secrets/registries'],
    ['/etc/secrets/ca/a.crt', '/etc/secrets/ca'],
    ['/etc/secrets/ca/a.crt', '/etc/secrets'],
  ]) {
    it(`the authority ${path} is mounted as a file${beside === undefined ? '' : ` beside the folder ${beside}`}, since its folder is taken`, async () => {
      const secrets = beside === undefined ? [] : [{ type: 'ImagePullSecret', name: 'pull', mountPath: beside }];
      const { config } = registries(...secrets);
      const rendered = await render({ config: { ...config, ...authorities(authority(path!)).config } });
      const mount = rendered.container.volumeMounts.find(({ mountPath }: any) => mountPath === path);
      assert.equal(mount?.subPath, 'ca.crt');
      assert.deepEqual(rendered.config.tls.caCertificatePaths, [path]);
    });
  }

  it('authorities that are not enabled are not there', async () => {
    const rendered = await render({ config: { tls: { customCaCertificates: { enabled: false, secrets: [authority('/etc/ca/a.crt')] } } } });
    assert.deepEqual([rendered.config.tls.caCertificatePaths, rendered.pod.volumes.length], [[], 1]);
  });

  it('a changed file or token changes the pods; another value does not', async () => {
    const checksum = async (values: object) => (await render(values)).deployment['spec'].template.metadata.annotations['checksum/config'];
    const none = await checksum({});
    assert.match(none, /^[0-9a-f]{64}$/);
    assert.notEqual(await checksum({ config: { interval: '5s' } }), none);
    assert.notEqual(await checksum(registries({ type: 'Opaque', token: 'a' })), await checksum(registries({ type: 'Opaque', token: 'b' })));
    assert.equal(await checksum({ replicaCount: 2 }), none);
  });

  it('its own namespace needs a Role, and nothing of the cluster but the custom resource', async () => {
    const rendered = await render({ rbac: { secrets: { enabled: false } } }, { files: [preset], release: 'x', namespace: 'team' });
    const clusterWide = rendered.objects.filter(({ metadata }) => metadata['namespace'] === undefined).map(({ kind }) => kind);
    assert.deepEqual(clusterWide, ['CustomResourceDefinition']);
    assert.deepEqual(rendered.rights.toSorted(), [
      'configmaps: get list watch',
      'controllerrevisions: get list',
      'daemonsets: get list watch patch',
      'deployments: get list watch patch',
      'events: create patch',
      'events: create patch',
      'leases: create',
      'leases: get update patch',
      'pods: get list',
      'replicasets: get list',
      'serviceaccounts: get',
      'statefulsets: get list watch patch',
      'updaterequests/status: get patch',
      'updaterequests: get list watch create patch delete',
    ]);
    assert.equal(rendered.env('HEADWIND_WATCH_NAMESPACES'), 'team');
    assert.equal(rendered.env('HEADWIND_WITHHELD_RIGHTS'), 'secrets,cronjobs.batch,nodes');
  });
});
