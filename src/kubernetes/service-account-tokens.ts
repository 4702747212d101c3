import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';
import { resourcePath } from './resource-path.ts';

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly name: string;
}

export interface ServiceAccountFacts {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ServiceAccountToken {
  readonly token: string;
}

interface KeptToken extends ServiceAccountToken {
  readonly usableUntilMs: number;
}

interface KubeServiceAccountTokensOptions {
  readonly client: Pick<KubeClient, 'json'>;
  /** Milliseconds since the epoch, as the API server counts them. */
  readonly clock: { now(): number };
}

const accountKeptMs = 60_000;
const refusalKeptMs = 5 * 60_000;
const lifeSeconds = 3_600;
/** Of its life; what is made with it needs some time too. */
const usablePart = 0.8;

/** Tokens of ServiceAccounts by TokenRequest, which needs the right to create `serviceaccounts/token`; each is used for most of its life. Throws ApiError. */
export class KubeServiceAccountTokens {
  readonly #client: Pick<KubeClient, 'json'>;
  readonly #clock: { now(): number };
  readonly #accounts: LRUCache<string, ServiceAccountFacts>;
  /** A right or an account that is missing is not asked for again and again. */
  readonly #refusals: LRUCache<string, ApiError>;
  readonly #tokens = new LRUCache<string, KeptToken>({ max: 2_000 });

  constructor({ client, clock }: KubeServiceAccountTokensOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#accounts = new LRUCache({ ...atMost(5_000), ttl: accountKeptMs, ttlResolution: 0, perf: clock });
    this.#refusals = new LRUCache({ ...atMost(5_000), ttl: refusalKeptMs, ttlResolution: 0, perf: clock });
  }

  async read({ namespace, name }: ServiceAccountRef, signal: AbortSignal): Promise<ServiceAccountFacts> {
    const path = resourcePath('v1', 'serviceaccounts', namespace, name);
    const known = this.#accounts.get(path);
    if (known) return known;
    const raw = await this.#ask('GET', path, { signal });
    const entries = Object.entries(recordAt(raw, 'metadata', 'annotations'));
    const annotations = Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
    const facts = { uid: textOf(recordAt(raw, 'metadata')['uid']) ?? '', annotations };
    this.#accounts.set(path, facts);
    return facts;
  }

  async token({ namespace, name }: ServiceAccountRef, audience: string, signal: AbortSignal): Promise<ServiceAccountToken> {
    const path = `${resourcePath('v1', 'serviceaccounts', namespace, name)}/token`;
    const key = `${path} ${audience}`;
    const now = this.#clock.now();
    const known = this.#tokens.get(key);
    if (known && known.usableUntilMs > now) return known;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], expirationSeconds: lifeSeconds },
    };
    const status = recordAt(await this.#ask('POST', path, { body, signal }), 'status');
    const token = textOf(status['token']);
    if (token === undefined) throw new ApiError(200, 'NoToken', `the API server gave no token of ServiceAccount ${namespace}/${name}`);
    const expiresAtMs = Date.parse(textOf(status['expirationTimestamp']) ?? '');
    const lifeMs = Number.isNaN(expiresAtMs) ? lifeSeconds * 1000 : expiresAtMs - now;
    this.#tokens.set(key, { token, usableUntilMs: now + lifeMs * usablePart });
    return { token };
  }

  async #ask(method: 'GET' | 'POST', path: string, request: KubeRequest): Promise<RawObject> {
    const refusal = this.#refusals.get(path);
    if (refusal) throw refusal;
    try {
      return await this.#client.json<RawObject>(method, path, request);
    } catch (error) {
      if (error instanceof ApiError && (error.isRefusal || error.isNotFound)) this.#refusals.set(path, error);
      throw error;
    }
  }
}
