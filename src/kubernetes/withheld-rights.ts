import { ApiError } from '../errors.ts';
import type { KubeClient, KubeMethod, KubeRequest, KubeStream } from './client.ts';
import { resourceName } from './permissions.ts';

type Client = Pick<KubeClient, 'json' | 'open'>;

/** The client, except that the API server is not asked for what is withheld (`secrets`, `cronjobs.batch`): the answer is the 403 that would come. */
export function withoutRights(client: Client, withheld: ReadonlySet<string>): Client {
  if (withheld.size === 0) return client;
  const refuse = (method: KubeMethod, path: string): void => {
    const resource = resourceAt(path);
    if (!withheld.has(resource)) return;
    throw new ApiError(403, 'Forbidden', `${method} ${path}: the right to ${resource} is withheld on purpose (HEADWIND_WITHHELD_RIGHTS)`);
  };
  return {
    async json<T>(method: KubeMethod, path: string, request?: KubeRequest): Promise<T> {
      refuse(method, path);
      return await client.json<T>(method, path, request);
    },
    async open(method: KubeMethod, path: string, request?: KubeRequest): Promise<KubeStream> {
      refuse(method, path);
      return await client.open(method, path, request);
    },
  };
}

/** `/apis/batch/v1/namespaces/shop/cronjobs/backup` → `cronjobs.batch` */
function resourceAt(path: string): string {
  const [root, second = '', ...others] = path.replace(/\?.*$/, '').split('/').filter(Boolean);
  const group = root === 'apis' ? second : '';
  const rest = root === 'apis' ? others.slice(1) : others;
  const [resource = ''] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  return resourceName({ group, resource });
}
