import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { canonicalRepository, type ImageReference } from '../core/image-reference.ts';
import type { Reason } from '../core/reasons.ts';
import type { Workload } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import type { CredentialSet, ImageContents, Problem, PullContext, PullSecrets, Registry } from '../ports.ts';
import type { TagBook } from './tag-book.ts';

/** One way into a repository: what several workloads with the same credentials share. */
export interface Access {
  /** Key of the tag book: canonical repository and fingerprint of the credentials. */
  readonly key: string;
  readonly credentials: CredentialSet;
  /** Pull secrets that could not be read. */
  readonly problems: readonly Problem[];
}

/** Why a registry was asked: on schedule, because a webhook said so, or to confirm a candidate before it is offered or applied. */
export type CheckOrigin = 'polling' | 'webhook' | 'confirmation';

/** How the last look at a repository ended. */
export interface LastCheck {
  readonly at: number;
  readonly origin: CheckOrigin;
  /** Missing when the registry answered; with a tag it is about nothing else. */
  readonly problem: { readonly reason: Reason; readonly message: string; readonly tag?: string } | undefined;
  /** Where the credentials that were tried came from, in order: names, never contents. */
  readonly credentials: readonly string[];
}

const checksKept = 20_000;
/** Images change, and what was asked with the old ones is of no use. */
const groupsKept = 50_000;

export interface AccessDeps {
  readonly registry: Registry;
  readonly pullSecrets: PullSecrets;
  readonly book: TagBook;
  readonly clock: { now(): number };
}

/** Finds the credentials that a workload's pods would use, and keeps which tag-book entry belongs to whom. */
export class RepositoryAccess {
  readonly #deps: AccessDeps;
  /** `repository|pull context` → key of the tag book, as of the last look. */
  readonly #keys = new LRUCache<string, string>(atMost(groupsKept));
  /** Pull contexts whose secrets did not help: read again at the next look, however young they are. */
  readonly #refused = new LRUCache<string, true>(atMost(groupsKept));
  readonly #checks = new LRUCache<string, LastCheck>(atMost(checksKept));
  /** Pull context → the pull secrets that its live pods list, where admission put others there than the template has. */
  readonly #listedByPods = new LRUCache<string, readonly string[]>(atMost(groupsKept));

  constructor(deps: AccessDeps) {
    this.#deps = deps;
  }

  /** Key of what is known for this workload and repository; undefined when nobody has looked yet. */
  known(workload: Workload, reference: ImageReference): string | undefined {
    return this.#keys.get(groupOf(workload, reference));
  }

  /** To be told of what a live pod of the workload lists, by whoever reads its pods: that is what the kubelet uses. */
  podsList(workload: Workload, pullSecretNames: readonly string[]): void {
    const key = pullContextKey(workload);
    if (pullSecretNames.join() === workload.pullSecretNames.join()) this.#listedByPods.delete(key);
    else this.#listedByPods.set(key, pullSecretNames);
  }

  /** Reads the pull secrets (kept for a minute, unless the registry refused them) and matches them to the repository. */
  async open(workload: Workload, reference: ImageReference, signal: AbortSignal): Promise<Access> {
    const group = groupOf(workload, reference);
    const context = { ...pullContextOf(workload), podPullSecretNames: this.#listedByPods.get(pullContextKey(workload)) };
    const { secrets, problems } = await this.#deps.pullSecrets.of(context, signal, { fresh: this.#refused.delete(group) });
    const credentials = this.#deps.registry.credentials(reference, secrets, context);
    const key = `${canonicalRepository(reference)}|${credentials.fingerprint}`;
    this.#keys.set(group, key);
    return { key, credentials, problems: [...problems, ...credentials.problems] };
  }

  /** To be told of every failed call: a person may be correcting the secrets that the registry refused. */
  failed({ key }: Access, error: RegistryError): void {
    if (error.code !== 'Unauthorized' && error.code !== 'Denied') return;
    for (const [group, known] of this.#keys.entries()) if (known === key) this.#refused.set(group, true);
  }

  /** To be told of every look: what went wrong, or nothing when the registry answered. */
  checked({ key, credentials }: Access, origin: CheckOrigin, error?: RegistryError | LastCheck['problem']): void {
    const problem = error instanceof RegistryError ? { reason: reasonOf(error), message: error.message } : error;
    const sources = credentials.candidates.map(({ source }) => source);
    this.#checks.set(key, { at: this.#deps.clock.now(), origin, problem, credentials: sources });
  }

  /** How the last look with this key of the tag book ended; undefined when there was none, or long ago. */
  lastCheck(key: string): LastCheck | undefined {
    return this.#checks.get(key);
  }

  /** The digest behind a tag: from the book while fresh (at most `maxAgeMs` old), else from the registry, which it records. Throws RegistryError. */
  async digest(
    workload: Workload,
    reference: ImageReference,
    tag: string,
    signal: AbortSignal,
    { maxAgeMs }: { maxAgeMs?: number } = {},
  ): Promise<string> {
    const { book, clock, registry } = this.#deps;
    const access = await this.open(workload, reference, signal);
    const fresh = book.freshDigest(access.key, tag, clock.now(), maxAgeMs);
    if (fresh !== undefined) return fresh;
    const { digest } = await this.#watched(access, () => registry.resolve(reference, tag, access.credentials, signal));
    book.recordHead(access.key, tag, digest, clock.now());
    return digest;
  }

  /** What a digest of the repository stands for. Throws RegistryError. */
  async contents(workload: Workload, reference: ImageReference, digest: string, signal: AbortSignal): Promise<ImageContents> {
    const access = await this.open(workload, reference, signal);
    return await this.#watched(access, () => this.#deps.registry.contents(reference, digest, access.credentials, signal));
  }

  async #watched<T>(access: Access, ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.checked(access, 'confirmation');
      return answer;
    } catch (error) {
      if (error instanceof RegistryError) {
        this.failed(access, error);
        this.checked(access, 'confirmation', error);
      }
      throw error;
    }
  }
}

/** Who shares pull secrets with whom: namespace, service account, names of the secrets. */
export function pullContextKey({ namespace, serviceAccountName, pullSecretNames }: PullContext): string {
  return `${namespace}/${serviceAccountName}/${pullSecretNames.join(',')}`;
}

function pullContextOf({ namespace, serviceAccountName, pullSecretNames }: Workload): PullContext {
  return { namespace, serviceAccountName, pullSecretNames };
}

function groupOf(workload: Workload, reference: ImageReference): string {
  return `${canonicalRepository(reference)}|${pullContextKey(workload)}`;
}

/** Is this the registry's definite "there is no such tag", as opposed to no answer? */
export function isNotFound(error: unknown): boolean {
  return error instanceof RegistryError && error.isNotFound;
}

/** The word for a call that failed. */
export function reasonOf(error: RegistryError): Reason {
  if (isNotFound(error)) return 'TagNotFound';
  return error.code === 'Unauthorized' || error.code === 'Denied' ? 'NoCredentialAccepted' : 'RegistryUnavailable';
}
