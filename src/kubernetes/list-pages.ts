import { ApiError } from '../errors.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import { type RawObject, recordAt, recordsOf, textOf } from './raw.ts';

export interface ListOptions<T> {
  readonly path: string;
  readonly labelSelector?: string;
  /** What is kept of an object, as soon as its page was parsed; `undefined` leaves it out. */
  readonly trim: (raw: RawObject) => T | undefined;
  /** Only the metadata of the objects is needed. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** Few enough that a page of whole pods stays small in memory, many enough that most workloads are one page. */
const pageSize = 200;
const mostAttempts = 3;
const metadataType = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** A complete list, read in pages. When the position between two pages has expired, it begins again. Throws ApiError. */
export async function listPages<T>(client: Pick<KubeClient, 'json'>, options: ListOptions<T>): Promise<T[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listOnce(client, options);
    } catch (error) {
      const hasExpired = error instanceof ApiError && error.status === 410;
      if (!hasExpired || attempt === mostAttempts) throw error;
    }
  }
}

async function listOnce<T>(client: Pick<KubeClient, 'json'>, options: ListOptions<T>): Promise<T[]> {
  const { path, labelSelector, trim, metadataOnly, signal } = options;
  const request: KubeRequest = { gzip: true, signal, ...(metadataOnly === true && { accept: metadataType }) };
  const found: T[] = [];
  let position: string | undefined;
  do {
    const query = { labelSelector, limit: pageSize, continue: position };
    const page: unknown = await client.json('GET', path, { ...request, query });
    for (const item of recordsOf(recordAt(page)['items'])) {
      const trimmed = trim(item);
      if (trimmed !== undefined) found.push(trimmed);
    }
    position = textOf(recordAt(page, 'metadata')['continue']);
  } while (position !== undefined);
  return found;
}
