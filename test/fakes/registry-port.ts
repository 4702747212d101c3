import { createHash } from 'node:crypto';
import { canonicalRepository } from '../../src/core/image-reference.ts';
import { RegistryError, type RegistryErrorCode } from '../../src/errors.ts';
import type { CredentialSet, ImageContents, PlatformImage, PullSecret, Registry, RepositoryRef } from '../../src/ports.ts';

interface Repository {
  readonly tags: Map<string, string>;
  /** Listed to nobody without this password; absent = public. */
  password?: string;
}

/** The port Registry in memory: repositories by canonical name, tags with digests, switches for what goes wrong, and every call in a list. */
export class FakeRegistryPort implements Registry {
  /** `resolve docker.io/library/nginx:1.26`, `tags docker.io/library/nginx`; with ` as <password>` where one was used. */
  readonly calls: string[] = [];
  /** How long every answer takes. */
  latencyMs = 0;
  /** Every list of tags is the beginning of a longer one. */
  truncated = false;
  /** Repositories whose tags have another digest at each question: how many digests take turns. */
  readonly spinning = new Map<string, number>();
  #turn = 0;
  readonly #repositories = new Map<string, Repository>();
  readonly #gone = new Set<string>();
  readonly #contents = new Map<string, ImageContents>();
  readonly #failures = new Map<string, { code: RegistryErrorCode; retryAfterMs: number | undefined }>();

  /** Puts a tag there, or moves it; without `digest` a new one, which the answer is. */
  push(
    repository: string,
    tag: string,
    digest = aDigest(`${repository}:${tag}:${this.#repository(repository).tags.get(tag) ?? ''}`),
  ): string {
    this.#repository(repository).tags.set(tag, digest);
    return digest;
  }

  digestOf(repository: string, tag: string): string | undefined {
    return this.#repositories.get(repository)?.tags.get(tag);
  }

  remove(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  protect(repository: string, password: string): void {
    this.#repository(repository).password = password;
  }

  /** Every call to this repository, to one tag of it (`…/nginx:1.26`), to its list (`…/nginx tags`) or, without one, to any, fails; undefined ends that. */
  fail(code: RegistryErrorCode | undefined, where = '', retryAfterMs?: number): void {
    if (code === undefined) this.#failures.delete(where);
    else this.#failures.set(where, { code, retryAfterMs });
  }

  credentials(_repository: RepositoryRef, secrets: readonly PullSecret[]): CredentialSet {
    const passwords = secrets.flatMap(({ data }) => data['password'] ?? []);
    return {
      fingerprint: passwords.join('+') || 'anonymous',
      candidates: [...passwords, ''].map((password) => ({ source: password === '' ? 'anonymous' : 'Secret', secret: { password } })),
      problems: [],
    };
  }

  async resolve(reference: RepositoryRef, tag: string, credentials: CredentialSet, signal: AbortSignal): Promise<{ digest: string }> {
    const { repository, name } = await this.#open('resolve', reference, `:${tag}`, credentials, signal);
    const refused = this.#failures.get(`${name}:${tag}`);
    if (refused) throw this.#error(refused.code, `${name}:${tag} is refused`, reference, 'resolve', refused.retryAfterMs);
    const turns = this.spinning.get(name);
    if (turns !== undefined && repository.tags.has(tag)) repository.tags.set(tag, aDigest(`turn ${++this.#turn % turns}`));
    const digest = [...repository.tags.values()].includes(tag) ? tag : repository.tags.get(tag);
    if (digest === undefined) throw this.#error('NotFound', `${name} has no tag ${tag}`, reference, 'resolve');
    return { digest };
  }

  /** Says what an index lists: platform (`linux/amd64`) → digest of its image. Gives the digest of the index. */
  index(digest: string, platforms: Readonly<Record<string, string>>): string {
    const images = Object.entries(platforms).map(([platform, image]): PlatformImage => {
      const [os, architecture, variant] = platform.split('/');
      return { digest: image, os, architecture, variant };
    });
    this.#contents.set(digest, { digest, kind: 'index', images, config: undefined });
    return digest;
  }

  /** The registry no longer has what is behind the digest. */
  forget(digest: string): void {
    this.#contents.delete(digest);
    for (const { tags } of this.#repositories.values()) {
      for (const [tag, known] of tags) if (known === digest) tags.delete(tag);
    }
    this.#gone.add(digest);
  }

  /** A digest that was not described as an index is an image whose configuration is `aDigest('config of <digest>')`. */
  async contents(reference: RepositoryRef, digest: string, credentials: CredentialSet, signal: AbortSignal): Promise<ImageContents> {
    const { name } = await this.#open('contents', reference, `@${digest}`, credentials, signal);
    if (this.#gone.has(digest)) throw this.#error('NotFound', `${name} no longer has ${digest}`, reference, 'contents');
    const image: PlatformImage = { digest, os: undefined, architecture: undefined, variant: undefined };
    return this.#contents.get(digest) ?? { digest, kind: 'image', images: [image], config: aDigest(`config of ${digest}`) };
  }

  /** Tag → time of its push, of registries that tell it. */
  pushTimes: ReadonlyMap<string, number> | undefined;

  async created(
    reference: RepositoryRef,
    credentials: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ tags: readonly { tag: string; pushedAtMs: number }[]; truncated: boolean } | undefined> {
    await this.#open('created', reference, '', credentials, signal);
    return this.pushTimes && { tags: [...this.pushTimes].map(([tag, pushedAtMs]) => ({ tag, pushedAtMs })), truncated: false };
  }

  async tags(
    reference: RepositoryRef,
    credentials: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ tags: readonly string[]; truncated: boolean }> {
    const { repository, name } = await this.#open('tags', reference, '', credentials, signal);
    const refused = this.#failures.get(`${name} tags`);
    if (refused) throw this.#error(refused.code, `the tags of ${name} are not listed`, reference, 'tags', refused.retryAfterMs);
    return { tags: [...repository.tags.keys()], truncated: this.truncated };
  }

  async #open(
    operation: string,
    reference: RepositoryRef,
    rest: string,
    { candidates }: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ repository: Repository; name: string }> {
    const name = canonicalRepository(reference);
    const repository = this.#repositories.get(name);
    const password = repository?.password;
    this.calls.push(`${operation} ${name}${rest}${password === undefined ? '' : ` as ${passwordsOf(candidates).join()}`}`);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    signal.throwIfAborted();
    const failure = this.#failures.get(name) ?? this.#failures.get('');
    if (failure) throw this.#error(failure.code, `${name} cannot be asked`, reference, operation, failure.retryAfterMs);
    if (!repository) throw this.#error('NotFound', `there is no ${name}`, reference, operation);
    if (password !== undefined && !passwordsOf(candidates).includes(password)) {
      throw this.#error('Unauthorized', `${name} accepts no credential`, reference, operation);
    }
    return { repository, name };
  }

  #error(
    code: RegistryErrorCode,
    message: string,
    { registry, repository }: RepositoryRef,
    operation: string,
    retryAfterMs?: number,
  ): RegistryError {
    return new RegistryError(code, message, { registry, repository, operation, retryAfterMs });
  }

  #repository(name: string): Repository {
    const repository = this.#repositories.get(name) ?? { tags: new Map<string, string>() };
    this.#repositories.set(name, repository);
    return repository;
  }
}

/** The digest of a content that is named here. */
export function aDigest(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function passwordsOf(candidates: CredentialSet['candidates']): string[] {
  return candidates.flatMap(({ secret }) => ('password' in secret && secret.password !== '' ? [String(secret.password)] : []));
}
