import { memberOf, type IdentityHttp } from './identity-http.ts';
import { accountToken, annotationOf, type Holder, type IdentityWorld, NoIdentity, tokenFile } from './identity-world.ts';
import type { AwsKeys } from './sigv4.ts';

export interface AwsDeps {
  readonly http: IdentityHttp;
  readonly world: IdentityWorld;
}

const instanceMetadata = 'http://169.254.169.254/latest';
/** Where pods and tasks may be told to fetch their keys. */
const containerHosts = new Set(['169.254.170.23', '169.254.170.2', '[fd00:ec2::23]']);
const sessionName = 'headwind';

/** Keys of the holder's AWS identity: of the web identity, the pod, the environment or the instance, in this order. Throws NoIdentity. */
export async function awsKeys(deps: AwsDeps, holder: Holder, sts: string, signal: AbortSignal): Promise<AwsKeys> {
  if (holder !== 'operator') return await keysOfAccount(deps, holder, sts, signal);
  const { environment } = deps.world;
  const { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file } = environment;
  if (role && file) return await assumeRole(deps, { role, token: await tokenFile(deps.world, file) }, sts, signal);
  const uri = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  if (uri) return await keysOfContainer(deps, uri, signal);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = environment;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined };
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') {
    throw new NoIdentity('the environment names no AWS identity', { isExpected: true });
  }
  return await keysOfInstance(deps, signal);
}

async function keysOfAccount(deps: AwsDeps, account: Exclude<Holder, 'operator'>, sts: string, signal: AbortSignal): Promise<AwsKeys> {
  const annotation = 'eks.amazonaws.com/role-arn';
  const role = await annotationOf(deps.world, account, annotation, signal);
  if (!role) throw new NoIdentity(`it has no annotation ${annotation}`, { isExpected: true });
  return await assumeRole(deps, { role, token: await accountToken(deps.world, account, 'sts.amazonaws.com', signal) }, sts, signal);
}

/** The one call that needs no signature: the token is the proof. */
async function assumeRole(
  { http }: AwsDeps,
  { role, token }: { role: string; token: string },
  sts: string,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const form = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: sessionName,
    WebIdentityToken: token,
  };
  const xml = await http.text({ method: 'POST', url: `https://${sts}/`, form, headers: { accept: 'application/xml' }, signal });
  return {
    accessKeyId: elementOf(xml, 'AccessKeyId', sts),
    secretAccessKey: elementOf(xml, 'SecretAccessKey', sts),
    sessionToken: elementOf(xml, 'SessionToken', sts),
  };
}

async function keysOfContainer({ http, world }: AwsDeps, uri: string, signal: AbortSignal): Promise<AwsKeys> {
  const url = URL.parse(uri);
  if (url?.protocol !== 'http:' || !containerHosts.has(url.hostname)) {
    throw new NoIdentity(`AWS_CONTAINER_CREDENTIALS_FULL_URI must lead to ${[...containerHosts].join(', ')} by http`);
  }
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: text } = world.environment;
  const authorization = file ? await tokenFile(world, file) : text;
  const headers: Record<string, string> = authorization ? { authorization } : {};
  return keysOf(await http.json({ method: 'GET', url: url.href, headers, isMetadata: true, signal }), url.host);
}

/** Version 2 of the instance's metadata: a token first, so that nobody who can only make GETs gets keys. */
async function keysOfInstance({ http }: AwsDeps, signal: AbortSignal): Promise<AwsKeys> {
  const common = { isMetadata: true, signal } as const;
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' };
  const token = await http.text({ ...common, method: 'PUT', url: `${instanceMetadata}/api/token`, headers: ttl });
  const get = { ...common, method: 'GET', headers: { 'x-aws-ec2-metadata-token': token.trim() } } as const;
  const path = `${instanceMetadata}/meta-data/iam/security-credentials/`;
  const [role = ''] = (await http.text({ ...get, url: path })).trim().split('\n');
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw new NoIdentity('the instance has no role', { isExpected: true });
  return keysOf(await http.json({ ...get, url: path + role }), 'the metadata of the instance');
}

function keysOf(answer: Readonly<Record<string, unknown>>, from: string): AwsKeys {
  return {
    accessKeyId: memberOf(answer, 'AccessKeyId', from),
    secretAccessKey: memberOf(answer, 'SecretAccessKey', from),
    sessionToken: memberOf(answer, 'Token', from),
  };
}

/** An element whose content is text; keys and tokens need no escapes, so one that has any is not believed. */
function elementOf(xml: string, name: string, from: string): string {
  const text = new RegExp(`<${name}>\\s*([^<>&\\s]+)\\s*</${name}>`).exec(xml)?.[1];
  if (text === undefined) throw new NoIdentity(`${from} gave no "${name}"`);
  return text;
}
