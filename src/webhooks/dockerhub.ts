import { type Delivery, toDelivery } from '../core/delivery.ts';
import { textMember, member } from '../core/json.ts';
import { toHint } from './hint.ts';

/** Docker Hub: one push of one tag. Everything but tag and name is for show; `callback_url` is never called. */
export function parseDockerHub(body: unknown): Delivery {
  return toDelivery('dockerhub', [parsePush(body)]);
}

function parsePush(body: unknown) {
  const tag = textMember(member(body, 'push_data'), 'tag');
  if (tag === undefined) return { problem: 'push_data.tag is missing' };
  const repository = member(body, 'repository');
  const [namespace, name] = [textMember(repository, 'namespace'), textMember(repository, 'name')];
  const joined = name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`;
  const fullName = textMember(repository, 'repo_name') ?? joined;
  if (fullName === undefined) return { problem: 'repository.repo_name is missing' };
  return toHint({ provider: 'dockerhub', repository: fullName, tag });
}
