import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { TlsOptions } from '../outbound.ts';
import { cached, ClusterAccessError, execCredential, type ExecSpec, readNamed, rotatingFile } from './credentials.ts';
import { besideFile, type ClusterEntry, type Entry, type ExecEntry, readKubeconfigs, type UserEntry } from './kubeconfig-file.ts';

/** Where the API server is and how to prove who we are. Everything that may rotate is asked for anew. */
export interface ClusterAccess {
  readonly server: string;
  /** The namespace we run in, or that of the context. */
  readonly namespace: string;
  /** For logs: `in cluster`, or kubeconfig and context. */
  readonly source: string;
  readonly proxy: string | undefined;
  /** The same object until a file changed. Looks at the files at most once a minute, or at once when `isDoubted`. */
  tls(isDoubted?: boolean): Promise<TlsOptions>;
  /** The value of the Authorization header. `refused` is one that was answered with 401: it is not given again from memory. */
  authorization(refused?: string): Promise<string | undefined>;
}

export interface ClusterAccessOptions {
  /** A path, or a list as in `KUBECONFIG`. Goes before everything else. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** `KUBECONFIG`, `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT`, `HOME`; handed on to exec programs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountFolder?: string;
  /** How long a token or certificate file is trusted without another look; default a minute. */
  readonly maxAgeMs?: number;
  /** Wall clock, for the expiry of exec credentials. */
  readonly now?: () => number;
}

/** Flag or `KUBECONFIG`, else the service account of the pod, else `~/.kube/config`. Throws ClusterAccessError. */
export async function loadClusterAccess(options: ClusterAccessOptions): Promise<ClusterAccess> {
  const { environment } = options;
  const list = options.kubeconfig || environment['KUBECONFIG'];
  if (list) return await fromKubeconfig(list.split(delimiter).filter(Boolean), options);
  const host = environment['KUBERNETES_SERVICE_HOST'];
  if (host) return await inCluster(host, environment['KUBERNETES_SERVICE_PORT'] || '443', options);
  const home = environment['HOME'];
  if (home) return await fromKubeconfig([join(home, '.kube', 'config')], options);
  throw new ClusterAccessError('no cluster: neither a kubeconfig nor a service account is there');
}

async function inCluster(host: string, port: string, options: ClusterAccessOptions): Promise<ClusterAccess> {
  const folder = options.serviceAccountFolder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const maxAgeMs = options.maxAgeMs ?? 60_000;
  const token = rotatingFile(join(folder, 'token'), 'service account', maxAgeMs);
  const namespace = (await readNamed(join(folder, 'namespace'), 'service account')).trim();
  await token();
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace,
    source: 'in cluster',
    proxy: undefined,
    tls: tlsReader(async () => ({ ca: await readNamed(join(folder, 'ca.crt'), 'service account'), onlyThisCa: true }), maxAgeMs),
    authorization: async (refused) => bearer(await token((held) => bearer(held) === refused)),
  };
}

async function fromKubeconfig(paths: readonly string[], options: ClusterAccessOptions): Promise<ClusterAccess> {
  const merged = await readKubeconfigs(paths);
  const name = options.context ?? merged.currentContext;
  if (name === undefined) throw new ClusterAccessError(`kubeconfig ${paths.join(', ')}: current-context is not set`);
  const context = named(merged.contexts, 'contexts', name, paths);
  const cluster = named(merged.clusters, 'clusters', context.value.cluster, paths);
  const user = context.value.user
    ? named(merged.users, 'users', context.value.user, paths)
    : { file: context.file, value: {} as UserEntry };
  const member = `kubeconfig ${user.file}: users[${context.value.user ?? ''}].user`;
  const maxAgeMs = options.maxAgeMs ?? 60_000;
  const exec = execReader(user, cluster, member, options);
  return {
    server: cluster.value.server,
    namespace: context.value.namespace || 'default',
    source: `kubeconfig ${context.file}, context ${name}`,
    proxy: cluster.value['proxy-url'] || undefined,
    tls: tlsReader(async () => await tlsOf(cluster, user, context.value.cluster, member, exec), maxAgeMs),
    authorization: authorizer(user, member, exec, maxAgeMs),
  };
}

type ExecReader = ReturnType<typeof cached<Awaited<ReturnType<typeof execCredential>>>>;

function authorizer(
  user: Entry<UserEntry>,
  member: string,
  exec: ExecReader | undefined,
  maxAgeMs: number,
): ClusterAccess['authorization'] {
  const { token, tokenFile, username, password } = user.value;
  if (user.value['auth-provider'] != null) {
    throw new ClusterAccessError(`${member}.auth-provider: not supported any more, by kubectl neither; use exec`);
  }
  if (tokenFile) {
    const read = rotatingFile(besideFile(user.file, tokenFile), `${member}.tokenFile`, maxAgeMs);
    return async (refused) => bearer(await read((held) => bearer(held) === refused));
  }
  if (token) return () => Promise.resolve(bearer(token));
  if (username) return () => Promise.resolve(`Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`);
  if (!exec) return () => Promise.resolve(undefined);
  return async (refused) => {
    const given = await exec((held) => refused !== undefined && held.token !== undefined && bearer(held.token) === refused);
    return given.token === undefined ? undefined : bearer(given.token);
  };
}

function execReader(
  user: Entry<UserEntry>,
  cluster: Entry<ClusterEntry>,
  member: string,
  options: ClusterAccessOptions,
): ExecReader | undefined {
  const { exec } = user.value;
  if (!exec) return undefined;
  const spec = execSpec(exec, user.file, cluster.value, `${member}.exec`, options);
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  return cached(
    () => execCredential(spec),
    ({ expiresAt }) => expiresAt === undefined || now() < expiresAt - 10_000,
  );
}

function execSpec(exec: ExecEntry, file: string, cluster: ClusterEntry, member: string, options: ClusterAccessOptions): ExecSpec {
  const extra = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  return {
    // A command with a slash is a path, relative to the kubeconfig; a bare name is looked up in PATH.
    command: exec.command.includes('/') ? besideFile(file, exec.command) : exec.command,
    args: exec.args ?? [],
    environment: { ...options.environment, ...extra },
    apiVersion: exec.apiVersion,
    member,
    installHint: exec.installHint ?? undefined,
    cluster: exec.provideClusterInfo === true ? cluster : undefined,
  };
}

async function tlsOf(
  cluster: Entry<ClusterEntry>,
  user: Entry<UserEntry>,
  clusterName: string,
  member: string,
  exec: ExecReader | undefined,
): Promise<TlsOptions> {
  const clusterMember = `kubeconfig ${cluster.file}: clusters[${clusterName}].cluster`;
  const ca = await pem(cluster, clusterMember, 'certificate-authority');
  const cert = (await pem(user, member, 'client-certificate')) ?? (await exec?.())?.cert;
  const key = (await pem(user, member, 'client-key')) ?? (await exec?.())?.key;
  if ((cert === undefined) !== (key === undefined))
    throw new ClusterAccessError(`${member}: client-certificate and client-key belong together`);
  const { 'tls-server-name': servername, 'insecure-skip-tls-verify': insecure } = cluster.value;
  return { ca, onlyThisCa: true, cert, key, servername: servername || undefined, insecure: insecure === true };
}

/** `<member>-data` in base64, else the file that `<member>` names. */
async function pem(
  { file, value }: Entry<Readonly<Record<string, unknown>>>,
  where: string,
  member: 'certificate-authority' | 'client-certificate' | 'client-key',
): Promise<string | undefined> {
  const data = value[`${member}-data`];
  if (typeof data === 'string' && data !== '') return decodePem(data, `${where}.${member}-data`);
  const path = value[member];
  return typeof path === 'string' && path !== '' ? await readNamed(besideFile(file, path), `${where}.${member}`) : undefined;
}

function decodePem(data: string, member: string): string {
  const decoded = Buffer.from(data, 'base64').toString('utf8');
  if (!decoded.includes('-----BEGIN')) throw new ClusterAccessError(`${member}: not PEM in base64`);
  return decoded;
}

/** Gives the same object as long as its content is the same. */
function tlsReader(read: () => Promise<TlsOptions>, maxAgeMs: number): ClusterAccess['tls'] {
  let last: TlsOptions | undefined;
  const current = cached(
    async () => {
      const next = await read();
      if (!isDeepStrictEqual(next, last)) last = next;
      return last ?? next;
    },
    (_, ageMs) => ageMs < maxAgeMs,
  );
  return (isDoubted) => current(() => isDoubted === true);
}

function named<T>(entries: ReadonlyMap<string, Entry<T>>, kind: string, name: string, paths: readonly string[]): Entry<T> {
  const entry = entries.get(name);
  if (!entry) throw new ClusterAccessError(`kubeconfig ${paths.join(', ')}: ${kind}: there is none named ${JSON.stringify(name)}`);
  return entry;
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}
