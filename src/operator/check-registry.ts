import type { ImageReference } from '../core/image-reference.ts';
import type { Workload } from '../core/workload.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { ImageContents, PlatformImage, Registry } from '../ports.ts';
import { adviceFor } from './registry-advice.ts';
import type { Access, RepositoryAccess } from './repository-access.ts';

/** One credential at one question, as the registry client tells it. */
export interface TriedCredential {
  readonly operation: string;
  readonly source: string;
  readonly httpStatus: number | undefined;
  /** `accepted`, or the word for why not. */
  readonly outcome: string;
}

export interface CheckFailure {
  readonly operation: 'resolve' | 'contents' | 'tags';
  readonly code: RegistryErrorCode | 'TagListTruncated';
  readonly message: string;
  /** What a person can do. */
  readonly advice: string;
}

/** What a registry answered to one look at one image; holds names of secrets, never what is in them. */
export interface RegistryAnswers {
  /** Where credentials could come from, in the order in which they are tried. */
  readonly credentials: readonly string[];
  /** `httpStatus` is null where there was no answer. */
  readonly tried: readonly (Omit<TriedCredential, 'httpStatus'> & { readonly httpStatus: number | null })[];
  readonly digest: string | null;
  readonly kind: ImageContents['kind'] | null;
  /** `linux/arm64/v8`; of a single image nothing is said here, its manifest does not name one. */
  readonly platforms: readonly string[] | null;
  readonly tags: { readonly count: number; readonly complete: boolean } | null;
  /** Credentials that could not be used and why, and what else somebody should know. */
  readonly notes: readonly string[];
  readonly failures: readonly CheckFailure[];
}

/** The whole report: where the image is, who would pull it, how the registry is reached, and what it answered. */
export interface RegistryCheck extends RegistryAnswers {
  readonly image: string;
  readonly registry: string;
  readonly repository: string;
  /** The tag or digest that was asked for. */
  readonly reference: string;
  readonly ok: boolean;
  /** `Deployment shop/web`, `ServiceAccount shop/default`; null without a cluster. */
  readonly pullsAs: string | null;
  /** Why the configuration forbids to ask this host; null when it does not. */
  readonly forbidden: string | null;
  /** Facts about the connection, in words. */
  readonly transport: readonly string[];
  /** As the registry said itself; null when it said nothing. */
  readonly quotaRemaining: number | null;
  /** How long the registry wants to be left alone; null when it asked for nothing. */
  readonly coolDownSeconds: number | null;
}

export interface CheckRegistryDeps {
  readonly access: Pick<RepositoryAccess, 'open'>;
  readonly registry: Registry;
  /** Filled by the registry client while it works. */
  readonly tried: readonly TriedCredential[];
  readonly isPlainHttp: boolean;
}

/** Codes after which no other question to the same registry makes sense. */
const finalCodes = new Set<RegistryErrorCode>(['Unauthorized', 'Denied', 'RateLimited', 'Unavailable', 'Timeout', 'Blocked']);

/** Asks for the digest of an image, what it stands for, and the tags beside it, with the credentials that pods of `workload` would use. */
export async function checkRegistry(
  { reference, wanted, workload }: { reference: ImageReference; wanted: string; workload: Workload },
  deps: CheckRegistryDeps,
  signal: AbortSignal,
): Promise<RegistryAnswers> {
  const access = await deps.access.open(workload, reference, signal);
  const credentials = access.credentials.candidates.map(({ source }) => source);
  const failures: CheckFailure[] = [];

  async function ask<T>(operation: CheckFailure['operation'], question: () => Promise<T>): Promise<T | undefined> {
    if (failures.some(({ code }) => isFinal(code))) return undefined;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const advice = adviceFor(error, { registry: error.registry, sources: credentials, isPlainHttp: deps.isPlainHttp });
      failures.push({ operation, code: error.code, message: error.message, advice });
      return undefined;
    }
  }

  const { registry } = deps;
  const resolved = await ask('resolve', () => registry.resolve(reference, wanted, access.credentials, signal));
  const digest = resolved?.digest;
  const found =
    digest === undefined ? undefined : await ask('contents', () => registry.contents(reference, digest, access.credentials, signal));
  const list = await ask('tags', () => registry.tags(reference, access.credentials, signal));
  if (list?.truncated === true) failures.push(truncated(list.tags.length));
  return {
    credentials,
    tried: deps.tried.map((each) => ({ ...each, httpStatus: each.httpStatus ?? null })),
    digest: digest ?? null,
    kind: found?.kind ?? null,
    platforms: found?.kind === 'index' ? found.images.map(platformOf) : null,
    tags: list ? { count: list.tags.length, complete: !list.truncated } : null,
    notes: notesOf(access),
    failures,
  };
}

function isFinal(code: CheckFailure['code']): boolean {
  return code !== 'TagListTruncated' && finalCodes.has(code);
}

function truncated(count: number): CheckFailure {
  return {
    operation: 'tags',
    code: 'TagListTruncated',
    message: `The list of tags ends at a limit, after ${count}.`,
    advice: 'delete old tags, or use the policies digest or force, which need no list',
  };
}

function platformOf({ os, architecture, variant }: PlatformImage): string {
  return [os ?? 'unknown', architecture ?? 'unknown', ...(variant === undefined ? [] : [variant])].join('/');
}

function notesOf({ problems }: Access): string[] {
  return problems.map(({ reason, message }) => `${reason}: ${message}`);
}
