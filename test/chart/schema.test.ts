import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { render } from './render.ts';

const registry = (secret: unknown, more: object = {}) => ({ config: { registries: [{ hostnamePattern: '*', secret, ...more }] } });
const authority = (...mountPaths: string[]) => {
  const secrets = mountPaths.map((mountPath) => ({ name: 'ca', subPath: 'ca.crt', mountPath }));
  return { config: { tls: { customCaCertificates: { enabled: true, secrets } } } };
};

/** Values that are refused, and what is said of them: where, and what is wrong. */
const refused: readonly (readonly [title: string, values: object, ...says: readonly RegExp[]])[] = [
  ['an unknown value', { replicas: 2 }, /replicas/],
  ['a misspelt value', { image: { tagg: '1' } }, /\/image/, /tagg/],
  ['a misspelt key of the file', { config: { cronScedule: '* * * * * *' } }, /\/config/, /cronScedule/],
  ['a key of an older chart', { config: { registries: [{ hostnamePattern: '*', token: 'x' }] } }, /\/config\/registries\/0/, /token/],
  ['an unknown variable', { env: { HEADWIND_POLING_ENABLED: 'true' } }, /\/env/, /HEADWIND_POLING_ENABLED/],
  ['a variable that the chart sets', { env: { CONFIG_FILE: '/x' } }, /\/env/, /CONFIG_FILE/],
  ['a text for a number', { replicaCount: 'two' }, /\/replicaCount/],
  ['a text for a switch', { rbac: { enabled: 'yes' } }, /\/rbac\/enabled/],
  ['an unknown pull policy', { image: { pullPolicy: 'Sometimes' } }, /\/image\/pullPolicy/],
  ['a digest that is none', { image: { digest: 'sha256:1' } }, /\/image\/digest/],
  ['a tag that is none', { image: { tag: 'a:b' } }, /\/image\/tag/],
  [
    'the image of kube-autorollout',
    { image: { repository: 'ghcr.io/juv/kube-autorollout' } },
    /image\.repository/,
    /write the image of Headwind/,
  ],
  ['a port that is none', { config: { webserver: { port: 70_000 } } }, /\/config\/webserver\/port/],
  [
    'a registry without a pattern',
    { config: { registries: [{ secret: { type: 'None' } }] } },
    /\/config\/registries\/0/,
    /hostnamePattern/,
  ],
  ['a registry with an empty pattern', registry({ type: 'None' }, { hostnamePattern: null }), /\/config\/registries\/0\/hostnamePattern/],
  ['a registry without a credential', { config: { registries: [{ hostnamePattern: '*' }] } }, /\/config\/registries\/0/, /secret/],
  ['an unknown type', registry({ type: 'opaque', token: 'x' }), /\/config\/registries\/0\/secret\/type/],
  ['ImagePullSecret without mountPath', registry({ type: 'ImagePullSecret', name: 'a' }), /\/config\/registries\/0\/secret/, /mountPath/],
  ['ImagePullSecret without name', registry({ type: 'ImagePullSecret', mountPath: '/a' }), /\/config\/registries\/0\/secret/, /name/],
  ['a relative mountPath', registry({ type: 'ImagePullSecret', name: 'a', mountPath: 'a' }), /\/secret\/mountPath/],
  ['Opaque with a name alone', registry({ type: 'Opaque', name: 'a' }), /\/config\/registries\/0\/secret/, /token/, /key/],
  ['Opaque with an empty key', registry({ type: 'Opaque', name: 'a', key: '' }), /\/config\/registries\/0\/secret\/key/],
  ['no type and nothing that tells it', registry({ mountPath: '/a', name: 'a' }), /\/config\/registries\/0\/secret/],
  ['an unknown key of a registry', registry({ type: 'None' }, { insecur: true }), /\/config\/registries\/0/, /insecur/],
  ['a number for a token', registry({ type: 'Opaque', token: 123 }), /\/secret\/token/],
  [
    'an authority without subPath',
    { config: { tls: { customCaCertificates: { secrets: [{ name: 'a', mountPath: '/a/b' }] } } } },
    /\/customCaCertificates\/secrets\/0/,
    /subPath/,
  ],
  ['a mount without its place', { extraVolumeMounts: [{ name: 'tmp' }] }, /\/extraVolumeMounts\/0/, /mountPath/],
  ['a variable without a name', { extraEnv: [{ value: 'x' }] }, /\/extraEnv\/0/, /name/],
  [
    'a variable twice',
    {
      extraEnv: [
        { name: 'A', value: 'x' },
        { name: 'A', value: 'y' },
      ],
    },
    /extraEnv\[1\]\.name: A is there twice/,
  ],
  [
    'two Secrets at one place',
    {
      config: {
        registries: ['a', 'b'].map((name) => ({ hostnamePattern: name, secret: { type: 'ImagePullSecret', name, mountPath: '/etc/x/' } })),
      },
    },
    /registries\[1\]\.secret\.mountPath: \/etc\/x has the Secret a already/,
  ],
  [
    'two authorities at one place',
    authority('/etc/ca/a.crt', '/etc/ca//a.crt'),
    /secrets\[1\]\.mountPath: \/etc\/ca\/a\.crt is there twice/,
  ],
  ['two servers on one port', { ports: { api: 8080 } }, /ports: webhook 8080, api 8080 and metrics 9090 must be three ports/],
  ['a namespace that is none', { watch: { namespaces: ['A'] } }, /\/watch\/namespaces\/0/],
];

describe('test/chart/schema', { concurrency: 4 }, () => {
  for (const [title, values, ...says] of refused) {
    it(`${title} is refused, with its place`, async () => {
      await assert.rejects(render(values), (error: Error) => {
        for (const each of says) assert.match(error.message, each);
        return true;
      });
    });
  }
});
