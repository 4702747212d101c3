import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { ClusterAccessError } from './credentials.ts';

const text = v.nullish(v.string());

const clusterSchema = v.object({
  server: v.pipe(v.string(), v.url()),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': v.nullish(v.boolean()),
  'proxy-url': text,
  'tls-server-name': text,
});

const execSchema = v.object({
  apiVersion: v.string(),
  command: v.string(),
  args: v.nullish(v.array(v.string())),
  env: v.nullish(v.array(v.object({ name: v.string(), value: v.string() }))),
  installHint: text,
  provideClusterInfo: v.nullish(v.boolean()),
});

const userSchema = v.object({
  token: text,
  tokenFile: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  username: text,
  password: text,
  exec: v.nullish(execSchema),
  'auth-provider': v.nullish(v.unknown()),
});

const contextSchema = v.object({ cluster: v.string(), user: text, namespace: text });

const fileSchema = v.object({
  'current-context': text,
  clusters: v.nullish(v.array(v.object({ name: v.string(), cluster: clusterSchema }))),
  users: v.nullish(v.array(v.object({ name: v.string(), user: v.nullish(userSchema) }))),
  contexts: v.nullish(v.array(v.object({ name: v.string(), context: contextSchema }))),
});

/** A named entry and the file it stands in: relative paths start there. */
export interface Entry<T> {
  readonly file: string;
  readonly value: T;
}
export type ClusterEntry = v.InferOutput<typeof clusterSchema>;
export type UserEntry = v.InferOutput<typeof userSchema>;
export type ExecEntry = v.InferOutput<typeof execSchema>;

/** The kubeconfigs of a list as one: the first that names something wins. */
export interface MergedKubeconfig {
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Entry<ClusterEntry>>;
  readonly users: ReadonlyMap<string, Entry<UserEntry>>;
  readonly contexts: ReadonlyMap<string, Entry<v.InferOutput<typeof contextSchema>>>;
}

/** Reads and merges; files of a list that do not exist are passed over, unless none exists. */
export async function readKubeconfigs(paths: readonly string[]): Promise<MergedKubeconfig> {
  const merged = { currentContext: undefined as string | undefined, clusters: new Map(), users: new Map(), contexts: new Map() };
  let found = 0;
  for (const path of paths) {
    const file = resolve(path);
    const content = await readIfThere(file);
    if (content === undefined) continue;
    found++;
    const config = await parseKubeconfig(file, content);
    merged.currentContext ??= config['current-context'] || undefined;
    addNew(merged.clusters, file, config.clusters, (entry) => entry.cluster);
    addNew(merged.users, file, config.users, (entry) => entry.user ?? {});
    addNew(merged.contexts, file, config.contexts, (entry) => entry.context);
  }
  if (found === 0) throw new ClusterAccessError(`kubeconfig: no such file: ${paths.join(', ')}; name one with KUBECONFIG or --kubeconfig`);
  return merged;
}

/** A path of a kubeconfig is relative to the folder of its file. */
export function besideFile(file: string, path: string): string {
  return resolve(dirname(file), path);
}

function addNew<E extends { name: string }, T>(
  into: Map<string, Entry<T>>,
  file: string,
  from: readonly E[] | null | undefined,
  valueOf: (entry: E) => T,
): void {
  for (const entry of from ?? []) if (!into.has(entry.name)) into.set(entry.name, { file, value: valueOf(entry) });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new ClusterAccessError(`kubeconfig ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function parseKubeconfig(file: string, content: string): Promise<v.InferOutput<typeof fileSchema>> {
  const { load } = await import('js-yaml');
  let value: unknown;
  try {
    value = load(content);
  } catch (cause) {
    const line = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new ClusterAccessError(`kubeconfig ${file}: not YAML: ${line}`, { cause });
  }
  const parsed = v.safeParse(fileSchema, value ?? {});
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // The received value may be a secret: only place and expectation are named.
  throw new ClusterAccessError(`kubeconfig ${file}: ${v.getDotPath(issue) ?? 'the file'}: expected ${issue.expected ?? issue.type}`);
}
