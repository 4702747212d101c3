import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { createKubeClient, KubeError } from './kube-client.ts';
import type { KubeClient, KubeObject, Manifest } from './kube-client.ts';
import { GiveUp, until } from './until.ts';
import { isRolledOut, isTrue, untilObject as watchUntil } from './until-object.ts';
import type { UntilObjectOptions } from './until-object.ts';

/** All it takes to talk to a running control plane; plain JSON, so that it can be handed to another process. */
export interface AccessDescription {
  readonly url: string;
  /** File with the certificate of the API server's authority. */
  readonly ca: string;
  readonly adminToken: string;
  /** File: everything is allowed with it. */
  readonly kubeconfig: string;
  /** Folder for files that tests make, kubeconfigs for example. */
  readonly folder: string;
  readonly kubectlPath: string;
  /** Whether controllers run, which make the ServiceAccount `default` of a new namespace. */
  readonly controllers: boolean;
}

export interface TestNamespace {
  readonly name: string;
  /** Asks for the deletion and does not wait (it takes ten seconds when pods are inside). */
  delete(): Promise<void>;
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What tests do with a control plane, whoever started it. */
export interface ClusterAccess extends AccessDescription {
  readonly admin: KubeClient;
  /** A client that speaks with another token. */
  clientFor(token: string): KubeClient;
  /** Writes a kubeconfig with that token and gives its path. */
  kubeconfigFor(name: string, token: string, options?: { namespace?: string }): string;
  /** A token of a ServiceAccount, by TokenRequest; waits until the account exists. */
  serviceAccountToken(namespace: string, name: string, options?: { seconds?: number }): Promise<string>;
  /** Server-side apply of YAML (any number of documents) or objects, in order; CRDs are waited for. */
  apply(what: string | Manifest | readonly Manifest[], options?: { namespace?: string }): Promise<KubeObject[]>;
  /** Stdout of `kubectl`; rejects with stderr when it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** Like `kubectl`, failures included, with another kubeconfig when given. */
  runKubectl(args: readonly string[], options?: { kubeconfig?: string; env?: NodeJS.ProcessEnv; input?: string }): Promise<KubectlResult>;
  /** Creates `<prefix>-<random>`; ready for pods when it resolves. */
  namespace(prefix: string, labels?: Record<string, string>): Promise<TestNamespace>;
  /** Waits, by polling, for whatever `attempt` returns. See until.ts. */
  readonly until: typeof until;
  /** Waits, by a watch, until the object at `path` satisfies the predicate (undefined: there is none), and gives it. */
  untilObject(
    path: string,
    predicate: (object: KubeObject | undefined) => boolean,
    options?: UntilObjectOptions,
  ): Promise<KubeObject | undefined>;
  /** Waits until the Deployment, StatefulSet or DaemonSet has rolled out completely. */
  untilRolledOut(path: string, options?: { timeoutMs?: number }): Promise<KubeObject>;
}

/** Access to a control plane that runs already. */
export function accessTo(description: AccessDescription): ClusterAccess & { close(): void } {
  const clients: KubeClient[] = [];
  const clientFor = (token: string) => {
    const client = createKubeClient({ url: description.url, ca: readFileSync(description.ca), token });
    clients.push(client);
    return client;
  };
  const admin = clientFor(description.adminToken);
  const untilObject: ClusterAccess['untilObject'] = (path, predicate, options) => watchUntil(admin, path, predicate, options);
  const runKubectl: ClusterAccess['runKubectl'] = (args, options) => execKubectl(description, args, options);
  return {
    ...description,
    admin,
    clientFor,
    until,
    untilObject,
    runKubectl,
    kubeconfigFor(name, token, options) {
      const path = join(description.folder, `${name}-${randomBytes(3).toString('hex')}.kubeconfig`);
      writeKubeconfig(path, { ...description, user: name, token, ...options });
      return path;
    },
    serviceAccountToken: (namespace, name, options) => requestToken(admin, namespace, name, options?.seconds ?? 3_600),
    apply: (what, options) => applyAll(admin, what, options?.namespace),
    async kubectl(...args) {
      const { code, stdout, stderr } = await runKubectl(args);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
      return stdout;
    },
    namespace: (prefix, labels) => makeNamespace(admin, description.controllers, prefix, labels),
    async untilRolledOut(path, options) {
      const description = `${path} is rolled out`;
      const object = await untilObject(path, (object) => object !== undefined && isRolledOut(object), { description, ...options });
      return object!;
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

interface KubeconfigFacts {
  readonly url: string;
  readonly ca: string;
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
}

export function writeKubeconfig(path: string, { url, ca, user, token, namespace }: KubeconfigFacts): void {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test-bed',
    clusters: [{ name: 'test-bed', cluster: { server: url, 'certificate-authority-data': readFileSync(ca).toString('base64') } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test-bed', context: { cluster: 'test-bed', user, ...(namespace !== undefined && { namespace }) } }],
  };
  writeFileSync(path, dump(kubeconfig), { mode: 0o600 });
}

async function requestToken(admin: KubeClient, namespace: string, name: string, expirationSeconds: number): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } };
  return until(`a token for ${namespace}/${name}`, async (see) => {
    const answer = await admin.request('POST', path, body);
    see(answer.body?.message);
    return answer.status === 201 && String(answer.body.status.token);
  });
}

async function applyAll(admin: KubeClient, what: string | Manifest | readonly Manifest[], namespace?: string): Promise<KubeObject[]> {
  const documents: readonly any[] = typeof what === 'string' ? loadAll(what) : [what].flat();
  const applied: KubeObject[] = [];
  for (const document of documents) {
    if (document === null || document === undefined) continue;
    const metadata: Record<string, any> = { ...(namespace !== undefined && { namespace }), ...document.metadata };
    const object: Manifest = { ...document, metadata };
    applied.push(await until(`${object.kind} ${metadata['name']} is accepted`, () => applyOne(admin, object), { timeoutMs: 10_000 }));
    if (object.kind === 'CustomResourceDefinition') await untilEstablished(admin, metadata['name']);
  }
  return applied;
}

/** Tried again while a kind or namespace is on its way; a refusal is final. */
async function applyOne(admin: KubeClient, object: Manifest): Promise<KubeObject> {
  try {
    return await admin.apply(object);
  } catch (error) {
    if (error instanceof KubeError && error.status !== 404 && error.status < 500) throw new GiveUp(error.message, { cause: error });
    throw error;
  }
}

async function untilEstablished(admin: KubeClient, name: string): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  await watchUntil(admin, path, (crd) => isTrue(crd, 'Established'), { timeoutMs: 10_000 });
}

async function makeNamespace(
  admin: KubeClient,
  controllers: boolean,
  prefix: string,
  labels: Record<string, string> = {},
): Promise<TestNamespace> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  if (controllers) await watchUntil(admin, `/api/v1/namespaces/${name}/serviceaccounts/default`, (account) => account !== undefined);
  else await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
  return { name, delete: () => admin.delete(`/api/v1/namespaces/${name}`) };
}

function execKubectl(
  { kubectlPath, kubeconfig, folder }: AccessDescription,
  args: readonly string[],
  options: { kubeconfig?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<KubectlResult> {
  const env = {
    ...process.env,
    ...options.env,
    KUBECONFIG: options.kubeconfig ?? kubeconfig,
    NO_PROXY: '127.0.0.1,localhost',
    HOME: folder,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(kubectlPath, [...args], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
}
