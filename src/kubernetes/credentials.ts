import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { OperatorError, type Retry } from '../errors.ts';

/** The cluster's address or our credentials cannot be read. The sentence names file and member. */
export class ClusterAccessError extends OperatorError {
  override readonly name = 'ClusterAccessError';
  readonly code = 'ClusterAccess';
  readonly retry: Retry = 'backoff';
}

/** Keeps what `load` gave while `isFresh`; `isRefused` makes it load again at once. One load at a time; a failed one keeps the old value. */
export function cached<T>(
  load: () => Promise<T>,
  isFresh: (value: T, ageMs: number) => boolean,
): (isRefused?: (value: T) => boolean) => Promise<T> {
  let held: { value: T; loadedAt: number } | undefined;
  let loading: Promise<T> | undefined;

  async function reload(): Promise<T> {
    try {
      const value = await load();
      held = { value, loadedAt: performance.now() };
      return value;
    } catch (error) {
      if (held === undefined) throw error;
      held = { value: held.value, loadedAt: performance.now() };
      return held.value;
    } finally {
      loading = undefined;
    }
  }

  return async (isRefused) => {
    const isGood = held !== undefined && isFresh(held.value, performance.now() - held.loadedAt) && isRefused?.(held.value) !== true;
    if (held !== undefined && isGood) return held.value;
    loading ??= reload();
    return await loading;
  };
}

/** A file that something else rewrites: read at most once a minute, or when its content was refused. */
export function rotatingFile(
  path: string,
  member: string,
  maxAgeMs: number,
): (isRefused?: (content: string) => boolean) => Promise<string> {
  return cached(
    async () => (await readNamed(path, member)).trim(),
    (_, ageMs) => ageMs < maxAgeMs,
  );
}

/** The content of a file that `member` of a kubeconfig names. */
export async function readNamed(path: string, member: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ClusterAccessError(`${member}: cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

export interface ExecSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Complete: ours and that of the kubeconfig. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly apiVersion: string;
  /** For messages: file and member. */
  readonly member: string;
  readonly installHint: string | undefined;
  /** What the program is told about the cluster. */
  readonly cluster: object | undefined;
}

export interface ExecCredential {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

const credentialSchema = v.object({
  kind: v.literal('ExecCredential'),
  status: v.object({
    token: v.nullish(v.string()),
    clientCertificateData: v.nullish(v.string()),
    clientKeyData: v.nullish(v.string()),
    expirationTimestamp: v.nullish(v.string()),
  }),
});

/** Runs the program a kubeconfig names and reads the credential it prints. */
export async function execCredential(spec: ExecSpec): Promise<ExecCredential> {
  const info = { apiVersion: spec.apiVersion, kind: 'ExecCredential', spec: { interactive: false, cluster: spec.cluster } };
  const env = { ...spec.environment, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const { stdout } = await promisify(execFile)(spec.command, [...spec.args], { env, timeout: 60_000, maxBuffer: 1024 * 1024 }).catch(
    (cause: unknown) => {
      const hint = spec.installHint === undefined ? '' : ` ${spec.installHint.trim()}`;
      throw new ClusterAccessError(`${spec.member}: ${spec.command} failed: ${reasonOf(cause)}${hint}`, { cause });
    },
  );
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), credentialSchema), stdout);
  // What was printed may hold a token: it is not repeated in the message.
  if (!parsed.success) throw new ClusterAccessError(`${spec.member}: ${spec.command} did not print an ExecCredential with a status`);
  const { status } = parsed.output;
  const expiresAt = Date.parse(status.expirationTimestamp ?? '');
  return {
    token: status.token ?? undefined,
    cert: status.clientCertificateData ?? undefined,
    key: status.clientKeyData ?? undefined,
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
  };
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (!('code' in cause)) return cause.message;
  return cause.code === 'ENOENT' ? 'no such file' : `exit or error ${String(cause.code)}`;
}
