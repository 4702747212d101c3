import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { ApiError, OutboundError } from '../errors.ts';
import { openPool, outboundFailure, startDeadline, type TlsOptions } from '../outbound.ts';
import { apiError, readText, streamBody, unreachable } from './api-answer.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { RequestBudget } from './request-budget.ts';
import { labelRequest } from './request-label.ts';

export type KubeMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface KubeRequest {
  /** Undefined members are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; patches name theirs. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** The whole request with its body; default 60 s. Not for `open`. */
  readonly timeoutMs?: number;
  /** Default 4. Not for `open`, which never retries. */
  readonly retries?: number;
  /** Takes nothing from the budget: Lease and health. */
  readonly isUrgent?: boolean;
  /** Has a connection for as long as it lasts; set by `open`. */
  readonly isStream?: boolean;
  /** Offer gzip: for lists. */
  readonly gzip?: boolean;
}

/** The bytes of an answer that may be endless. Whoever does not read it to its end calls `close`. */
export interface KubeStream {
  readonly body: AsyncIterable<Buffer>;
  close(): void;
}

export interface KubeClientOptions {
  readonly version: string;
  /** Requests per second and burst; default 300 and 600, 0 = no limit. */
  readonly budget?: { readonly perSecond: number; readonly burst: number };
  readonly onRequest?: (facts: { verb: string; resource: string; code: string; ms: number }) => void;
  /** A request waited for the budget. */
  readonly onThrottle?: (waitMs: number) => void;
  /** First and longest wait between retries; default 200 ms and 10 s. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  readonly headersMs?: number;
}

/** Talks to the API server over one pool of connections. Throws ApiError, or the reason of the caller's signal when that aborted. */
export class KubeClient {
  readonly #access: ClusterAccess;
  readonly #options: KubeClientOptions;
  readonly #budget: RequestBudget;
  readonly #server: URL;
  #pool: { tls: TlsOptions; dispatcher: Dispatcher; streams: Dispatcher } | undefined;
  #doubtTls = false;
  #isClosed = false;

  constructor(access: ClusterAccess, options: KubeClientOptions) {
    this.#access = access;
    this.#options = options;
    this.#budget = new RequestBudget(options.budget?.perSecond ?? 300, options.budget?.burst ?? 600);
    this.#server = new URL(access.server);
  }

  /** The answer's JSON, trusted to have the shape of its kind. 429 is repeated, 5xx with `Retry-After`, and a network error of a GET. */
  async json<T = unknown>(method: KubeMethod, path: string, request: KubeRequest = {}): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#jsonOnce<T>(method, path, request);
      } catch (error) {
        const waitMs = attempt >= (request.retries ?? 4) ? undefined : this.#retryAfter(error, method, attempt);
        if (waitMs === undefined || request.signal?.aborted === true) throw error;
        await delay(waitMs, undefined, signalOf(request)).catch(() => throwReason(request));
      }
    }
  }

  /** A successful answer, its body unread: for watches. No time limit on the body, no retry. */
  async open(method: KubeMethod, path: string, request: KubeRequest = {}): Promise<KubeStream> {
    const answer = await this.#send(method, path, { ...request, isStream: true }, request.signal);
    const { body } = answer;
    body.on('error', ignore);
    return { body: streamBody(body, `${method} ${path}`, request.signal), close: () => void body.destroy() };
  }

  /** Ends all connections, also watches. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const pool = this.#pool;
    this.#pool = undefined;
    await Promise.all([pool?.dispatcher.destroy(), pool?.streams.destroy()]);
  }

  async #jsonOnce<T>(method: KubeMethod, path: string, request: KubeRequest): Promise<T> {
    const deadline = startDeadline(request.timeoutMs ?? 60_000, request.signal);
    const where = `${method} ${path}`;
    try {
      const answer = await this.#send(method, path, request, deadline.signal);
      const text = await readText(answer, where);
      // The server is the authority on the shape of its answers; what we read of them is checked in the tests against a real one.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return JSON.parse(text) as T;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw request.signal?.aborted === true ? request.signal.reason : unreachable(deadline.reasonFor(error, where));
    } finally {
      deadline.end();
    }
  }

  /** One exchange; a second one with a fresh token if the first was answered 401. */
  async #send(method: KubeMethod, path: string, request: KubeRequest, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    await this.#awaitTurn(request, signal);
    const authorization = await this.#authorization();
    const answer = await this.#exchange(method, path, request, signal, authorization);
    if (answer.statusCode < 300) return answer;
    const error = await apiError(answer, `${method} ${path}`);
    if (answer.statusCode !== 401) throw error;
    const renewed = await this.#authorization(authorization);
    if (renewed === authorization) throw error;
    const second = await this.#exchange(method, path, request, signal, renewed);
    if (second.statusCode < 300) return second;
    throw await apiError(second, `${method} ${path}`);
  }

  async #awaitTurn(request: KubeRequest, signal: AbortSignal | undefined): Promise<void> {
    const waitMs = request.isUrgent === true ? 0 : this.#budget.take();
    if (waitMs === 0) return;
    this.#options.onThrottle?.(waitMs);
    await delay(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => throwReason({ signal }));
  }

  async #exchange(
    method: KubeMethod,
    path: string,
    request: KubeRequest,
    signal: AbortSignal | undefined,
    authorization: string | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const startedAt = performance.now();
    let code = '0';
    try {
      const dispatcher = await this.#dispatcher(request.isStream === true);
      const answer = await dispatcher.request({
        origin: this.#server.origin,
        path: this.#pathOf(path, request.query),
        method,
        headers: this.#headersOf(request, authorization),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal: signal ?? null,
        headersTimeout: this.#options.headersMs ?? 30_000,
        bodyTimeout: 0,
      });
      code = String(answer.statusCode);
      return answer;
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : this.#explain(error, `${method} ${path}`);
    } finally {
      const label = labelRequest(method, path, request.query?.['watch'] === true);
      this.#options.onRequest?.({ ...label, code, ms: performance.now() - startedAt });
    }
  }

  #pathOf(path: string, query: KubeRequest['query']): string {
    const prefix = this.#server.pathname.replace(/\/$/, '');
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value));
    return `${prefix}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
  }

  #headersOf(request: KubeRequest, authorization: string | undefined): Record<string, string> {
    return {
      accept: request.accept ?? 'application/json',
      // Clients that look like curl or a browser get indented JSON, twice the size.
      'user-agent': `headwind/${this.#options.version}`,
      ...(request.gzip === true ? { 'accept-encoding': 'gzip' } : {}),
      ...(authorization === undefined ? {} : { authorization }),
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    };
  }

  async #authorization(refused?: string): Promise<string | undefined> {
    try {
      return await this.#access.authorization(refused);
    } catch (error) {
      throw unreachable(error);
    }
  }

  /**
   * The pool; a new one when the files behind the TLS settings have changed. Requests under way finish on the old one. Watches, one per
   * resource and namespace, have connections of their own: they never leave a request without one.
   */
  async #dispatcher(isStream: boolean): Promise<Dispatcher> {
    const tls = await this.#access.tls(this.#doubtTls);
    this.#doubtTls = false;
    if (this.#isClosed) throw new Error('the client is closed');
    if (this.#pool?.tls !== tls) {
      const shared = { tls, proxy: this.#access.proxy, connectMs: 5_000, keepAliveMs: 90_000 };
      for (const old of [this.#pool?.dispatcher, this.#pool?.streams]) old?.close().catch(ignore);
      this.#pool = { tls, dispatcher: openPool({ ...shared, connections: 32 }), streams: openPool({ ...shared, connections: 10_000 }) };
    }
    return isStream ? this.#pool.streams : this.#pool.dispatcher;
  }

  #explain(error: unknown, where: string): ApiError {
    const failure = outboundFailure(error, where);
    // A rotated authority or client certificate shows first as a failed handshake: look at the files at once.
    if (failure.code === 'Tls') this.#doubtTls = true;
    return unreachable(failure);
  }

  #retryAfter(error: unknown, method: KubeMethod, attempt: number): number | undefined {
    if (!(error instanceof ApiError) || this.#isClosed) return undefined;
    const { status, retryAfterMs } = error;
    const isBrokenRead = status === 0 && method === 'GET' && !isTimeout(error);
    const isWorthIt = status === 429 || (status >= 500 && retryAfterMs !== undefined) || isBrokenRead;
    if (!isWorthIt) return undefined;
    // Longer than this, the caller's own schedule is the better place to wait.
    if (retryAfterMs !== undefined) return retryAfterMs > 30_000 ? undefined : retryAfterMs;
    const { minMs, maxMs } = this.#options.backoff ?? { minMs: 200, maxMs: 10_000 };
    return Math.min(maxMs, minMs * 2 ** attempt) * (0.5 + Math.random());
  }
}

/** Who waited that long for nothing decides anew whether to wait again. */
function isTimeout({ cause }: ApiError): boolean {
  return cause instanceof OutboundError && cause.code === 'Timeout';
}

function signalOf(request: KubeRequest): { signal?: AbortSignal } {
  return request.signal === undefined ? {} : { signal: request.signal };
}

function throwReason({ signal }: Pick<KubeRequest, 'signal'>): never {
  throw signal?.reason;
}

function ignore(): void {
  // The reader sees the failure; closing is none.
}
