import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { canonicalRegistry, isDigest, isTag } from '../core/image-reference.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import type { Outbound, OutboundTimeouts, TlsOptions } from '../outbound.ts';
import type { Clock, CredentialSet, ImageContents, Log, Metrics, Registry, RepositoryRef } from '../ports.ts';
import type { Sleep } from './budget.ts';
import { type BudgetReport, createBudgetReport } from './budget-report.ts';
import { type Call, callFailure } from './call.ts';
import { createContents } from './contents.ts';
import { createContentsCache } from './contents-cache.ts';
import { endpointOf } from './endpoint.ts';
import { createExchange, type CredentialAttempt } from './exchange.ts';
import type { IdentityWorld } from './identity-world.ts';
import { createHabits } from './habits.ts';
import { chooseCredentials, type RegistryCredential, type RegistryCredentialSet } from './keychain.ts';
import { createMeter } from './meter.ts';
import { createMirrors } from './mirrors.ts';
import { createAsk } from './place.ts';
import { createOtherCredentials } from './other-credentials.ts';
import { quirksOfHost } from './quirks.ts';
import { createPushTimes, type PushTimes } from './push-times.ts';
import { createReferrers, type ReferrerList } from './referrers.ts';
import { RegistrySecret } from './registry-secret.ts';
import { createResolve } from './resolve.ts';
import { createSender } from './send.ts';
import { createSingleFlight } from './single-flight.ts';
import { createTagLister, type ListingLimits, type TagList } from './tags.ts';
import { createTransports } from './transport.ts';

export interface RegistryOptions {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Hosts (any port) or `host:port` that plain HTTP is spoken with, beside those of this machine. */
  readonly insecureHosts?: readonly string[];
  readonly limits?: {
    readonly listing?: Partial<ListingLimits>;
    /** Reading what a digest stands for, with all that is nested in it; default 120 s. */
    readonly contentsMs?: number;
    /** What is kept of what digests stand for; default 64 MiB. */
    readonly contentsBytes?: number;
    /** Of each HTTP request. */
    readonly timeouts?: OutboundTimeouts;
  };
  /** What the configuration says of registries; called per use, so that a change counts at once. */
  readonly settings?: () => RegistrySettings;
  /** Where cloud identities and credential programs find what they need; without it no cloud is asked. */
  readonly identities?: IdentityWorld;
  /** Authorities and client certificates of a registry, by its canonical host (`registry.example.com:5000`). Says that it speaks TLS. */
  readonly tls?: (registry: string) => TlsOptions | undefined;
  /** Told of every credential that was tried, in order. */
  readonly onAttempt?: (attempt: CredentialAttempt) => void;
  /** Ask an Artifactory that answers 404 by its repository-path method too; else `settings` say so, else yes. */
  readonly artifactoryFallback?: boolean;
  /** Waiting between tries and for a registry's budget; for tests. */
  readonly sleep?: Sleep;
}

const listingLimits: ListingLimits = { pages: 1_000, tags: 100_000, pageBytes: 16 * 1024 * 1024, totalMs: 120_000 };

/** The port, and what only whoever made it needs. */
export interface RegistryClient extends Registry {
  /** What points to a digest (signatures, attestations), all of it or one kind; nothing of it is verified yet. Throws RegistryError. */
  referrers(
    repository: RepositoryRef,
    digest: string,
    credentials: CredentialSet,
    signal: AbortSignal,
    artifactType?: string,
  ): Promise<ReferrerList>;
  /**
   * When tags were pushed, for those registries that tell it of all tags at once (`pushTimes` of the quirks); undefined for others, and without the right
   * to see it. Of Docker Hub it is the API of its web site, which has limits of its own: asked only where somebody wants the order of creation.
   */
  created(repository: RepositoryRef, credentials: CredentialSet, signal: AbortSignal): Promise<PushTimes | undefined>;
  /** What is left of a registry's limits; undefined when it was not asked so far, or must not be. */
  budgetReport(registry: string): BudgetReport | undefined;
  /** How the registry is asked for digests of tags: GET counts as a pull. Undefined when it was not asked so far, or must not be. */
  manifestMethod(registry: string): 'HEAD' | 'GET' | undefined;
  close(): Promise<void>;
}

/** The client for all registries: one per process, so that budgets, tokens and calls under way are shared. */
export function createRegistry(options: RegistryOptions): RegistryClient {
  const { clock, log, limits } = options;
  const key = randomBytes(32);
  const transports = createTransports(options);
  const meter = createMeter(options.metrics, (registry) => quirksOfHost(registry).isPublic === true || transports.ofHost(registry).isNamed);
  const sender = createSender({ ...options, transports, meter, sleep: options.sleep ?? sleepFor, timeouts: limits?.timeouts ?? {} });
  const mirrors = createMirrors({ transports, credentials: (mirror) => credentials(mirror, []), log });
  const { send, stateOf } = sender;
  const exchange = createExchange({ send, clock, log, meter, onAttempt: options.onAttempt });
  const ask = createAsk({
    exchange,
    clock,
    otherRoots: () => options.artifactoryFallback ?? options.settings?.().artifactoryFallback ?? true,
  });
  const habits = createHabits({ clock, log });
  const resolveDigest = mirrors.first(createResolve({ ask, habits, clock, log }));
  const listTags = mirrors.first(
    createTagLister({ ask, exchange, clock, limits: { ...listingLimits, ...limits?.listing } }),
    // A cache may list what it holds only; nothing at all is surely not all there is.
    ({ tags, truncated }) => !truncated && tags.length > 0,
  );
  const readContents = mirrors.first(createContents({ ask, totalMs: limits?.contentsMs ?? 120_000 }));
  const listReferrers = createReferrers({ ask, exchange, totalMs: listingLimits.totalMs });
  const readPushTimes = createPushTimes({ exchange, send, clock, totalMs: listingLimits.totalMs });
  const known = createContentsCache(limits?.contentsBytes ?? 64 * 1024 * 1024);
  const resolving = createSingleFlight<{ digest: string }>(() => meter.cacheHit('resolve'));
  const reading = createSingleFlight<ImageContents>(() => meter.cacheHit('contents'));
  const pointing = createSingleFlight<ReferrerList>(() => meter.cacheHit('referrers'));
  const dating = createSingleFlight<PushTimes | undefined>(() => meter.cacheHit('created'));
  const listing = createSingleFlight<TagList>(() => meter.cacheHit('tags'));
  const otherCredentials = createOtherCredentials(options, key);
  const warned = new LRUCache<string, true>({ max: 1_000 });

  function credentials(...[repository, secrets, context]: Parameters<Registry['credentials']>): RegistryCredentialSet {
    const set = chooseCredentials(repository, secrets, key, otherCredentials.of(repository, context));
    for (const entry of set.broadKeys) warnOnce(entry, repository);
    // Namespaces take turns at a registry, also those that ask with the same credentials, or none.
    return context === undefined ? set : { ...set, lane: `namespace ${context.namespace}` };
  }

  function warnOnce(entry: string, { registry, repository }: RepositoryRef): void {
    const text = `${entry} ${registry}/${repository}`;
    if (warned.has(text)) return;
    warned.set(text, true);
    log.warn(
      { entry, repository: `${registry}/${repository}` },
      'the key of a pull secret ends inside a name and covers this repository too',
    );
  }

  async function resolve(
    repository: RepositoryRef,
    reference: string,
    set: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ digest: string }> {
    const separator = isDigest(reference) ? '@' : ':';
    const call = callOf(repository, 'resolve', `cannot resolve ${nameOf(repository)}${separator}${reference.slice(0, 200)}`, set, signal);
    if (!isDigest(reference) && !isTag(reference)) throw callFailure(call, 'Protocol', 'this is neither a tag nor a digest');
    const flight = [call.endpoint.origin, call.repository, reference, set.fingerprint].join(' ');
    // People of kube-autorollout search for these words.
    log.debug({ url: `${call.endpoint.origin}/v2/${call.repository}/manifests/${reference}` }, 'Fetching docker manifest from URL');
    return await resolving.run(flight, signal, (shared) => resolveDigest({ ...call, signal: shared }, reference));
  }

  async function tags(repository: RepositoryRef, set: CredentialSet, signal: AbortSignal): Promise<TagList> {
    const call = callOf(repository, 'tags', `cannot list the tags of ${nameOf(repository)}`, set, signal);
    const flight = [call.endpoint.origin, call.repository, set.fingerprint].join(' ');
    return await listing.run(flight, signal, (shared) => listTags({ ...call, signal: shared }));
  }

  function callOf(repository: RepositoryRef, operation: Call['operation'], task: string, set: CredentialSet, signal: AbortSignal): Call {
    const endpoint = endpointOf(repository, transports);
    const call = {
      repository: repository.repository,
      operation,
      task,
      credentials: ownCredentials(repository, set),
      signal,
      lane: set.lane,
    };
    if ('origin' in endpoint) return { ...call, endpoint };
    const unknown = { registry: repository.registry, origin: '', quirks: {} };
    if ('blocked' in endpoint) throw callFailure({ ...call, endpoint: unknown }, 'Blocked', endpoint.blocked);
    throw callFailure({ ...call, endpoint: unknown }, 'Protocol', endpoint.invalid);
  }

  /** A set that was not made here, or for another registry, holds nothing that could be sent. */
  function ownCredentials(repository: RepositoryRef, set: CredentialSet): RegistryCredentialSet {
    const isOwn = (candidate: CredentialSet['candidates'][number]): candidate is RegistryCredential =>
      candidate.secret instanceof RegistrySecret;
    const registry = canonicalRegistry(repository.registry);
    const own = 'registry' in set && set.registry === registry ? set.candidates.filter(isOwn) : [];
    return { ...set, registry, candidates: own.length > 0 ? own : chooseCredentials(repository, [], key).candidates, broadKeys: [] };
  }

  async function contents(repository: RepositoryRef, digest: string, set: CredentialSet, signal: AbortSignal): Promise<ImageContents> {
    const call = callOf(repository, 'contents', `cannot read ${nameOf(repository)}@${digest.slice(0, 200)}`, set, signal);
    if (!isDigest(digest)) throw callFailure(call, 'Protocol', 'this is not a digest');
    const key = [call.endpoint.origin, call.repository, digest, set.fingerprint].join(' ');
    const kept = known.get(key);
    if (kept) {
      signal.throwIfAborted();
      meter.cacheHit('contents');
      return kept;
    }
    return await reading.run(key, signal, async (shared) => {
      const found = await readContents({ ...call, signal: shared }, digest);
      known.set(key, found);
      return found;
    });
  }

  async function referrers(
    ...[repository, digest, set, signal, artifactType]: Parameters<RegistryClient['referrers']>
  ): Promise<ReferrerList> {
    const task = `cannot list what points to ${nameOf(repository)}@${digest.slice(0, 200)}`;
    const call = callOf(repository, 'referrers', task, set, signal);
    if (!isDigest(digest)) throw callFailure(call, 'Protocol', 'this is not a digest');
    const flight = [call.endpoint.origin, call.repository, digest, set.fingerprint, artifactType ?? ''].join(' ');
    return await pointing.run(flight, signal, (shared) => listReferrers({ ...call, signal: shared }, digest, artifactType));
  }

  async function created(repository: RepositoryRef, set: CredentialSet, signal: AbortSignal): Promise<PushTimes | undefined> {
    const call = callOf(repository, 'created', `cannot tell when the tags of ${nameOf(repository)} were pushed`, set, signal);
    const flight = [call.endpoint.origin, call.repository, set.fingerprint].join(' ');
    return await dating.run(flight, signal, (shared) => readPushTimes({ ...call, signal: shared }));
  }

  async function close(): Promise<void> {
    const reason = new Error('the registry client was closed');
    otherCredentials.close();
    resolving.abort(reason);
    reading.abort(reason);
    pointing.abort(reason);
    dating.abort(reason);
    listing.abort(reason);
  }

  function manifestMethod(registry: string): 'HEAD' | 'GET' | undefined {
    const endpoint = endpointOf({ registry, repository: 'any/repository' }, transports);
    return 'origin' in endpoint ? habits.methodOf(endpoint) : undefined;
  }

  const budgetReport = createBudgetReport({ transports, stateOf });
  return { credentials, resolve, contents, tags, referrers, created, budgetReport, manifestMethod, close };
}

function nameOf({ registry, repository }: RepositoryRef): string {
  return `${registry}/${repository}`.slice(0, 400);
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
