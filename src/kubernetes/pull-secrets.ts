import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { ApiError } from '../errors.ts';
import type { Problem, PullContext, PullSecret, PullSecrets } from '../ports.ts';
import type { KubeClient } from './client.ts';
import { type RawObject, recordAt, recordsOf, textOf } from './raw.ts';
import { resourcePath } from './resource-path.ts';

const keptMs = 60_000;
/** A missing right does not come back by asking: not even for a fresh look is it asked for again before that time. */
const forbiddenMs = 10 * 60_000;
const keptBytes = 8 * 1024 * 1024;
/** Of one pod. Each is a request to the API server, whose budget is everybody's. */
const mostNames = 20;
const objectName = /^[a-z0-9][a-z0-9.-]{0,252}$/;

/** What was found under a name: the object, or why there is none. */
type Found<T> = { readonly value: T } | { readonly problem: Problem };

interface KubePullSecretsOptions {
  readonly client: Pick<KubeClient, 'json'>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Where Secrets are not to be read on purpose: nothing is asked for, nothing is missed. */
export const noPullSecrets: PullSecrets = { of: () => Promise.resolve({ secrets: [], problems: [] }) };

/** Pull secrets read one by one by name, with the right to `get` alone; what was read is kept for a minute. */
export class KubePullSecrets implements PullSecrets {
  readonly #client: Pick<KubeClient, 'json'>;
  readonly #kept: LRUCache<string, Found<RawObject>>;
  readonly #decoded = new WeakMap<RawObject, PullSecret>();
  /** Path → the answer 403. */
  readonly #forbidden: LRUCache<string, { readonly problem: Problem }>;
  readonly #underWay = new Map<string, Promise<Found<RawObject>>>();

  constructor({ client, now }: KubePullSecretsOptions) {
    this.#client = client;
    this.#forbidden = new LRUCache({ ...atMost(10_000), ttl: forbiddenMs, ttlResolution: 0, ...(now && { perf: { now } }) });
    this.#kept = new LRUCache({
      maxSize: keptBytes,
      sizeCalculation: (found) => 256 + JSON.stringify(found).length,
      ttl: keptMs,
      ttlResolution: 0,
      ...(now && { perf: { now } }),
    });
  }

  async of(
    context: PullContext,
    signal: AbortSignal,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<{ secrets: readonly PullSecret[]; problems: readonly Problem[] }> {
    const { namespace, pullSecretNames, podPullSecretNames = [] } = context;
    const listed = [podPullSecretNames, pullSecretNames].find((list) => list.length > 0);
    const named = listed ? { value: listed } : await this.#namesOfAccount(context, signal, fresh);
    if ('problem' in named) return { secrets: [], problems: [named.problem] };
    const all = [...new Set(named.value)];
    const names = all.slice(0, mostNames);
    const found = await Promise.all(names.map((name) => this.#read('secrets', namespace, name, signal, fresh)));
    return {
      secrets: found.flatMap((each, index) => ('value' in each ? [this.#decode(namespace, names[index] ?? '', each.value)] : [])),
      problems: [...oneForbidden(found.flatMap((each) => ('problem' in each ? [each.problem] : []))), ...tooMany(all.length)],
    };
  }

  /** The same object as long as the same answer is kept, so that who reads it can know it again. */
  #decode(namespace: string, name: string, raw: RawObject): PullSecret {
    const secret = this.#decoded.get(raw) ?? readSecret(namespace, name, raw);
    this.#decoded.set(raw, secret);
    return secret;
  }

  /** Admission copies them into a pod only when the pod names none. */
  async #namesOfAccount({ namespace, serviceAccountName }: PullContext, signal: AbortSignal, fresh: boolean): Promise<Found<string[]>> {
    const account = await this.#read('serviceaccounts', namespace, serviceAccountName, signal, fresh);
    if ('value' in account) return { value: recordsOf(account.value['imagePullSecrets']).flatMap(({ name }) => textOf(name) ?? []) };
    // Without the account there are no pods either: nothing to say about pull secrets.
    return account.problem.reason === 'PermissionMissing' ? account : { value: [] };
  }

  async #read(kind: Resource, namespace: string, name: string, signal: AbortSignal, fresh: boolean): Promise<Found<RawObject>> {
    signal.throwIfAborted();
    // `..` would be another path, wherever something between us and the API server tidies up.
    if (!objectName.test(name))
      return { problem: { reason: 'PullSecretMissing', message: `${resourceNames[kind]} ${namespace}/${name} cannot exist` } };
    const path = resourcePath('v1', kind, namespace, name);
    const kept = this.#forbidden.get(path) ?? (fresh ? undefined : this.#kept.get(path));
    if (kept) return kept;
    const reading = this.#underWay.get(path) ?? this.#ask(path, `${resourceNames[kind]} ${namespace}/${name}`, kind);
    return orAborted(reading, signal);
  }

  /** Without the signal of a caller: others wait for the same answer. */
  #ask(path: string, what: string, kind: Resource): Promise<Found<RawObject>> {
    const reading = this.#get(path, what, kind).finally(() => this.#underWay.delete(path));
    this.#underWay.set(path, reading);
    return reading;
  }

  async #get(path: string, what: string, kind: Resource): Promise<Found<RawObject>> {
    const found = await this.#client.json<RawObject>('GET', path).then(
      (raw) => ({ value: kind === 'secrets' ? withoutOtherData(raw) : raw }),
      (error: unknown) => ({ problem: explain(error, what) }),
    );
    this.#kept.set(path, found);
    if ('problem' in found && found.problem.reason === 'PermissionMissing') this.#forbidden.set(path, found);
    return found;
  }
}

type Resource = 'secrets' | 'serviceaccounts';
const resourceNames: Readonly<Record<Resource, string>> = { secrets: 'Secret', serviceaccounts: 'ServiceAccount' };

function tooMany(names: number): Problem[] {
  const message = `the pod names ${names} pull secrets; only the first ${mostNames} are read`;
  return names > mostNames ? [{ reason: 'PullSecretMissing', message }] : [];
}

/** A right that is missing is one problem, however many secrets it is missing for. */
function oneForbidden(problems: readonly Problem[]): readonly Problem[] {
  const first = problems.find(({ reason }) => reason === 'PermissionMissing');
  return problems.filter((problem) => problem === first || problem.reason !== 'PermissionMissing');
}

/** A missing right or object is an answer; anything else may be over in a moment and is the caller's failure. */
function explain(error: unknown, what: string): Problem {
  if (!(error instanceof ApiError)) throw error;
  if (error.isNotFound) return { reason: 'PullSecretMissing', message: `${what} does not exist; it is named as a pull secret` };
  if (error.status !== 403) throw error;
  return { reason: 'PermissionMissing', message: `${what} may not be read, so its credentials are not used: ${error.message}` };
}

/** Only what the kubelet reads of a pull secret; nothing else of it stays in memory. */
function withoutOtherData(raw: RawObject): RawObject {
  const data = Object.entries(recordAt(raw, 'data')).filter(([key]) => key === '.dockerconfigjson' || key === '.dockercfg');
  return { type: raw['type'], data: Object.fromEntries(data) };
}

function readSecret(namespace: string, name: string, raw: RawObject): PullSecret {
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(recordAt(raw, 'data'))) {
    if (typeof value === 'string') data[key] = Buffer.from(value, 'base64').toString('utf8');
  }
  return { namespace, name, type: textOf(raw['type']) ?? '', data };
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
