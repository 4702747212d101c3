// The registry of the bench: in memory, over real HTTP, in a process of its own.
import { startFakeRegistry } from '../test/fakes/registry.ts';
import { answerQuestions } from './worker.ts';

const registry = await startFakeRegistry();

answerQuestions({
  host: () => registry.host,
  push: (tags: readonly (readonly [repository: string, tag: string])[]) => {
    for (const [repository, tag] of tags) registry.push(repository, tag);
  },
  /** What was asked since the last call: how often, of how many repositories, and how often for the body of a manifest. */
  takeRequests: () => {
    const requests = registry.requests.splice(0);
    const repositories = new Set(requests.map(({ url }) => /^\/v2\/(.+)\/(?:tags|manifests)\//.exec(url)?.[1] ?? url));
    const gets = requests.filter(({ method, url }) => method === 'GET' && url.includes('/manifests/')).length;
    return { total: requests.length, repositories: repositories.size, manifestGets: gets };
  },
});
