import { type AwsDeps, awsKeys } from './identity-aws.ts';
import type { Issued } from './identity-cache.ts';
import type { EcrRegistry } from './identity-hosts.ts';
import { memberOf } from './identity-http.ts';
import { type Holder, NoIdentity } from './identity-world.ts';
import { isJsonObject } from './json.ts';
import { signRequest } from './sigv4.ts';

const targets = {
  ecr: 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
  'ecr-public': 'SpencerFrontendService.GetAuthorizationToken',
} as const;

/** A login for all registries of AWS in one region that the holder's identity may read. Throws NoIdentity. */
export async function issueForEcr(
  deps: AwsDeps,
  holder: Holder,
  { api, sts, service, region }: EcrRegistry,
  nowMs: number,
  signal: AbortSignal,
): Promise<Issued> {
  const keys = await awsKeys(deps, holder, sts, signal);
  const url = new URL(`https://${api}/`);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': targets[service] };
  const request = { method: 'POST', url, headers, body: '{}' } as const;
  const answer = await deps.http.json({
    ...request,
    url: url.href,
    headers: signRequest(request, keys, { region, service }, nowMs),
    signal,
  });
  const data: unknown = answer['authorizationData'];
  // ECR gives a list, ECR Public the one.
  const first: unknown = Array.isArray(data) ? data[0] : data;
  if (!isJsonObject(first)) throw new NoIdentity(`${api} gave no "authorizationData"`);
  const [username = '', ...rest] = Buffer.from(memberOf(first, 'authorizationToken', api), 'base64')
    .toString('utf8')
    .split(':');
  const password = rest.join(':');
  if (username === '' || password === '') throw new NoIdentity(`${api} gave a token that holds no user and password`);
  const expiresAt = first['expiresAt'];
  return {
    contents: [{ kind: 'basic', username, password }],
    expiresAtMs: typeof expiresAt === 'number' ? expiresAt * 1000 : undefined,
  };
}
