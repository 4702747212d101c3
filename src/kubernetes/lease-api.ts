import { ApiError } from '../errors.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import type { Lease, LeaseApi } from './lease.ts';
import { resourcePath } from './resource-path.ts';

const apiVersion = 'coordination.k8s.io/v1';

/** One Lease of the API server. Its requests wait for no budget and are not repeated: the election has its own schedule. */
export function leaseApi(client: Pick<KubeClient, 'json'>, namespace: string, name = 'headwind'): LeaseApi {
  const collection = resourcePath(apiVersion, 'leases', namespace);
  const path = resourcePath(apiVersion, 'leases', namespace, name);
  const urgent = (signal: AbortSignal): KubeRequest => ({ signal, isUrgent: true, retries: 0 });

  async function get(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await client.json<Lease>('GET', path, urgent(signal));
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) return undefined;
      throw error;
    }
  }

  return {
    get,
    create: (lease, signal) => client.json<Lease>('POST', collection, { ...urgent(signal), body: lease }),
    update: (lease, signal) => client.json<Lease>('PUT', path, { ...urgent(signal), body: lease }),
  };
}
