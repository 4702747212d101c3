import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { selfSigned } from '../../test/fakes/certificate.ts';
import { ClusterAccessError } from './credentials.ts';
import { type ClusterAccess, type ClusterAccessOptions, loadClusterAccess } from './kubeconfig.ts';

const identity = selfSigned();
const system = { PATH: '/usr/bin:/bin' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A folder with these files, gone after the test. */
async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headwind-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

function config({ cluster = {}, user = {}, context = {} }: Parts = {}): string {
  return JSON.stringify({
    'current-context': 'dev',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', ...context } }],
  });
}

async function load(
  t: TestContext,
  parts: Parts,
  files: Readonly<Record<string, string>> = {},
  options: Partial<ClusterAccessOptions> = {},
) {
  const folder = await folderWith(t, { config: config(parts), ...files });
  return { folder, access: await loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: system, ...options }) };
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('no failure'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClusterAccessError, String(error));
  return error.message;
}

const users = [
  { title: 'a token', user: { token: 'abc' }, files: {}, header: 'Bearer abc' },
  {
    title: 'a token file beside the kubeconfig, before the token',
    user: { token: 'abc', tokenFile: 'secret/token' },
    files: { 'secret/token': 'def\n' },
    header: 'Bearer def',
  },
  { title: 'user name and password', user: { username: 'u', password: 'p:w' }, files: {}, header: `Basic ${base64('u:p:w')}` },
  { title: 'nothing', user: {}, files: {}, header: undefined },
  { title: 'empty members', user: { token: '', tokenFile: null, exec: null }, files: {}, header: undefined },
] as const;

const mistakes = [
  { title: 'no server', config: config({ cluster: { server: undefined } }), message: /config: clusters\.0\.cluster\.server: expected/ },
  { title: 'a server that is no URL', config: config({ cluster: { server: 'canary' } }), message: /clusters\.0\.cluster\.server/ },
  { title: 'a token that is no text', config: config({ user: { token: 4711 } }), message: /users\.0\.user\.token: expected/ },
  {
    title: 'an unknown context',
    config: config().replace('"current-context":"dev"', '"current-context":"prod"'),
    message: /contexts: there is none named "prod"/,
  },
  { title: 'no context', config: '{}', message: /current-context is not set/ },
  { title: 'an unknown cluster', config: config({ context: { cluster: 'x' } }), message: /clusters: there is none named "x"/ },
  { title: 'an unknown user', config: config({ context: { user: 'x' } }), message: /users: there is none named "x"/ },
  { title: 'what is not YAML', config: 'a: [', message: /config: not YAML/ },
  {
    title: 'an auth-provider',
    config: config({ user: { 'auth-provider': { name: 'gcp' } } }),
    message: /users\[u\]\.user\.auth-provider: not supported/,
  },
] as const;

const tlsMistakes = [
  {
    title: 'a missing file',
    parts: { cluster: { 'certificate-authority': 'none.crt' } },
    message: /clusters\[c\]\.cluster\.certificate-authority: cannot read .*none\.crt: no such file/,
  },
  {
    title: 'data that is no PEM',
    parts: { user: { 'client-key-data': base64('canary') } },
    message: /users\[u\]\.user\.client-key-data: not PEM/,
  },
  {
    title: 'a certificate without its key',
    parts: { user: { 'client-certificate-data': base64(identity.cert) } },
    message: /belong together/,
  },
] as const;

async function inCluster(
  t: TestContext,
  environment: Record<string, string>,
  files: Readonly<Record<string, string>> = {},
): Promise<ClusterAccess> {
  const folder = await folderWith(t, { token: 'abc\n', namespace: 'here\n', 'ca.crt': identity.cert, ...files });
  return await loadClusterAccess({ environment, serviceAccountFolder: folder, maxAgeMs: 0 });
}

/** A program that prints an ExecCredential, one line of its script per run. */
async function execUser(t: TestContext, status: string) {
  const script = `#!/bin/sh\necho run >> "$RUNS"\nN=$(wc -l < "$RUNS")\necho "$KUBERNETES_EXEC_INFO" > "$RUNS.info"\ncat <<EOF\n{"kind":"ExecCredential","status":${status}}\nEOF\n`;
  const folder = await folderWith(t, { 'bin/login': script, runs: '' });
  await chmod(join(folder, 'bin/login'), 0o755);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './bin/login',
    args: ['--quietly'],
    env: [{ name: 'RUNS', value: join(folder, 'runs') }],
    provideClusterInfo: true,
  };
  await writeFile(join(folder, 'config'), config({ user: { exec } }));
  return folder;
}

describe('kubernetes/kubeconfig', () => {
  describe('in a cluster', () => {
    it('takes address, token, authority and namespace from the pod', async (t) => {
      const access = await inCluster(t, { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' });
      assert.deepEqual([access.server, access.namespace, access.source], ['https://10.0.0.1:6443', 'here', 'in cluster']);
      assert.equal(await access.authorization(), 'Bearer abc');
      assert.deepEqual(await access.tls(), { ca: identity.cert, onlyThisCa: true });
    });

    it('puts an IPv6 address into brackets', async (t) => {
      assert.equal((await inCluster(t, { KUBERNETES_SERVICE_HOST: 'fd00::1' })).server, 'https://[fd00::1]:443');
    });

    it('goes after KUBECONFIG and before the home folder', async (t) => {
      const folder = await folderWith(t, { '.kube/config': config(), other: config({ context: { namespace: 'other' } }) });
      const both = { KUBERNETES_SERVICE_HOST: '10.0.0.1', HOME: folder };
      assert.equal((await inCluster(t, both)).source, 'in cluster');
      assert.equal((await inCluster(t, { ...both, KUBECONFIG: join(folder, 'other') })).namespace, 'other');
      assert.match((await loadClusterAccess({ environment: { HOME: folder } })).source, /\.kube\/config, context dev/);
      assert.match(await problemOf(loadClusterAccess({ environment: {} })), /no cluster/);
    });

    it('names the file that is missing', async () => {
      const options = { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, serviceAccountFolder: '/does/not/exist' };
      assert.equal(await problemOf(loadClusterAccess(options)), 'service account: cannot read /does/not/exist/namespace: no such file');
    });
  });

  describe('rotation', () => {
    it('a token is read again when it was refused, not sooner', async (t) => {
      const { folder, access } = await load(t, { user: { tokenFile: 'token' } }, { token: 'one' });
      assert.equal(await access.authorization(), 'Bearer one');
      await writeFile(join(folder, 'token'), 'two');
      assert.equal(await access.authorization(), 'Bearer one');
      assert.equal(await access.authorization('Bearer zero'), 'Bearer one', 'somebody else was refused');
      assert.deepEqual(await Promise.all([access.authorization('Bearer one'), access.authorization('Bearer one')]), [
        'Bearer two',
        'Bearer two',
      ]);
    });

    it('a token file that is gone for a moment leaves the old token', async (t) => {
      const { folder, access } = await load(t, { user: { tokenFile: 'token' } }, { token: 'one' }, { maxAgeMs: 0 });
      assert.equal(await access.authorization(), 'Bearer one');
      await rm(join(folder, 'token'));
      assert.equal(await access.authorization(), 'Bearer one');
    });

    it('TLS settings are the same object until a file changes', async (t) => {
      const parts = { cluster: { 'certificate-authority': 'ca.crt' } };
      const { folder, access } = await load(t, parts, { 'ca.crt': identity.cert }, { maxAgeMs: 0 });
      const before = await access.tls();
      assert.equal(await access.tls(), before);
      const renewed = selfSigned();
      await writeFile(join(folder, 'ca.crt'), renewed.cert);
      assert.equal((await access.tls()).ca, renewed.cert);
    });

    it('TLS settings are read again at once when they are doubted', async (t) => {
      const { folder, access } = await load(t, { cluster: { 'certificate-authority': 'ca.crt' } }, { 'ca.crt': identity.cert });
      await access.tls();
      const renewed = selfSigned();
      await writeFile(join(folder, 'ca.crt'), renewed.cert);
      assert.equal((await access.tls()).ca, identity.cert);
      assert.equal((await access.tls(true)).ca, renewed.cert);
    });
  });

  describe('kubeconfig', () => {
    for (const { title, user, files, header } of users) {
      it(`authorizes by ${title}`, async (t) => {
        const { access } = await load(t, { user }, files);
        assert.equal(await access.authorization(), header);
      });
    }

    it('reads certificates from data and from files, and the other settings of the cluster', async (t) => {
      const cluster = {
        'certificate-authority-data': base64(identity.cert),
        'tls-server-name': 'kubernetes',
        'proxy-url': 'http://proxy:3128',
      };
      const user = { 'client-certificate': 'me.crt', 'client-key-data': base64(identity.key) };
      const { access } = await load(t, { cluster, user, context: { namespace: 'team' } }, { 'me.crt': identity.cert });
      const expected = {
        ca: identity.cert,
        onlyThisCa: true,
        cert: identity.cert,
        key: identity.key,
        servername: 'kubernetes',
        insecure: false,
      };
      assert.deepEqual(await access.tls(), expected);
      assert.deepEqual([access.server, access.proxy, access.namespace], ['https://api.example.com:6443', 'http://proxy:3128', 'team']);
    });

    it('knows insecure-skip-tls-verify', async (t) => {
      const { access } = await load(t, { cluster: { 'insecure-skip-tls-verify': true } });
      assert.equal((await access.tls()).insecure, true);
    });

    it('merges a list: the first that names something wins, missing files are passed over', async (t) => {
      const folder = await folderWith(t, {
        'a/config': JSON.stringify({ contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', namespace: 'first' } }] }),
        'b/config': config({ user: { tokenFile: 'token' }, context: { namespace: 'second' } }),
        'b/token': 'beside b',
      });
      const list = ['none/config', 'a/config', 'b/config'].map((path) => join(folder, path)).join(delimiter);
      const access = await loadClusterAccess({ environment: { KUBECONFIG: list } });
      assert.equal(access.namespace, 'first');
      assert.equal(await access.authorization(), 'Bearer beside b');
      assert.match(await problemOf(loadClusterAccess({ kubeconfig: '/none/a', environment: {} })), /no such file: \/none\/a/);
    });

    it('takes another context when asked', async (t) => {
      const { folder } = await load(t, {});
      const work = loadClusterAccess({ kubeconfig: join(folder, 'config'), context: 'prod', environment: {} });
      assert.match(await problemOf(work), /contexts: there is none named "prod"/);
    });

    for (const { title, config: text, message } of mistakes) {
      it(`explains ${title}`, async (t) => {
        const folder = await folderWith(t, { config: text });
        const problem = await problemOf(loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: {} }));
        assert.match(problem, message);
        assert.doesNotMatch(problem, /canary|4711/);
      });
    }

    for (const { title, parts, message } of tlsMistakes) {
      it(`explains ${title}`, async (t) => {
        const { access } = await load(t, parts);
        assert.match(await problemOf(access.tls()), message);
      });
    }
  });

  describe('exec', () => {
    it('runs the program once, tells it about the cluster, and again when the token was refused', async (t) => {
      const folder = await execUser(t, '{"token":"run-$N"}');
      const access = await loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: system });
      assert.deepEqual(await Promise.all([access.authorization(), access.authorization()]), ['Bearer run-1', 'Bearer run-1']);
      assert.equal(await access.authorization(), 'Bearer run-1');
      assert.equal(await access.authorization('Bearer run-1'), 'Bearer run-2');
    });

    it('runs it again when the credential expires', async (t) => {
      const folder = await execUser(t, '{"token":"run-$N","expirationTimestamp":"2026-01-01T00:10:00Z"}');
      let now = Date.parse('2026-01-01T00:00:00Z');
      const access = await loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: system, now: () => now });
      assert.equal(await access.authorization(), 'Bearer run-1');
      now = Date.parse('2026-01-01T00:09:55Z');
      assert.equal(await access.authorization(), 'Bearer run-2');
    });

    it('takes client certificates from it', async (t) => {
      const folder = await execUser(t, JSON.stringify({ clientCertificateData: identity.cert, clientKeyData: identity.key }));
      const access = await loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: system });
      assert.partialDeepStrictEqual(await access.tls(), { cert: identity.cert, key: identity.key });
      assert.equal(await access.authorization(), undefined);
    });

    it('explains a program that is missing, and output that is no credential', async (t) => {
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-login', installHint: 'Install no-such-login.' };
      const missing = await load(t, { user: { exec } });
      assert.match(
        await problemOf(missing.access.authorization()),
        /users\[u\]\.user\.exec: no-such-login failed: no such file Install no-such-login\./,
      );
      const folder = await execUser(t, '"canary"');
      const access = await loadClusterAccess({ kubeconfig: join(folder, 'config'), environment: system });
      const problem = await problemOf(access.authorization());
      assert.match(problem, /did not print an ExecCredential/);
      assert.doesNotMatch(problem, /canary/);
    });
  });
});
