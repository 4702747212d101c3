import type { Issued } from './identity-cache.ts';
import { endOfLife, type IdentityHttp, memberOf } from './identity-http.ts';
import { accountToken, type AccountRef, annotationOf, type Holder, type IdentityWorld, NoIdentity, tokenFile } from './identity-world.ts';
import { isJsonObject, parseJsonObject } from './json.ts';

export interface GoogleDeps {
  readonly http: IdentityHttp;
  readonly world: IdentityWorld;
}

interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number | undefined;
}

/** A workload identity pool that trades tokens of the cluster. */
interface Federation {
  readonly audience: string;
  /** Of the tokens that it takes. */
  readonly tokenAudience: string;
  readonly subjectTokenType: string;
  readonly tokenUrl: string;
}

const metadata = 'http://metadata.google.internal/computeMetadata/v1';
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
const sts = 'https://sts.googleapis.com/v1/token';
/** Hosts that a credential configuration may name; it is a file, and may be anybody's. */
const tokenHosts = /^sts(\.[a-z0-9-]+)?(\.rep)?\.googleapis\.com$/;
const impersonationHosts = /^iamcredentials(\.[a-z0-9-]+)?(\.rep)?\.googleapis\.com$/;

/** An access token of the holder's Google identity, as a login. Throws NoIdentity. */
export async function issueForGoogle(deps: GoogleDeps, holder: Holder, nowMs: number, signal: AbortSignal): Promise<Issued> {
  const { token, expiresAtMs } = await (holder === 'operator' ? ofOperator(deps, nowMs, signal) : ofAccount(deps, holder, nowMs, signal));
  return { contents: [{ kind: 'basic', username: 'oauth2accesstoken', password: token }], expiresAtMs };
}

async function ofOperator(deps: GoogleDeps, nowMs: number, signal: AbortSignal): Promise<AccessToken> {
  const file = deps.world.environment['GOOGLE_APPLICATION_CREDENTIALS'];
  if (file) return await ofConfiguration(deps, file, nowMs, signal);
  const answer = await askMetadata(deps, 'instance/service-accounts/default/token', signal);
  const parsed = parseJsonObject(Buffer.from(answer, 'utf8')) ?? {};
  return { token: memberOf(parsed, 'access_token', 'the metadata server'), expiresAtMs: endOfLife(parsed['expires_in'], nowMs) };
}

/** A configuration of workload identity federation: a token of the cluster is traded for one of Google. */
async function ofConfiguration(deps: GoogleDeps, file: string, nowMs: number, signal: AbortSignal): Promise<AccessToken> {
  const config = await readConfiguration(deps, file);
  const source = isJsonObject(config['credential_source']) ? config['credential_source'] : {};
  const subjectToken = await subjectTokenOf(deps, source, file);
  const federated = await trade(deps, federationOf(config, file), subjectToken, nowMs, signal);
  const impersonation = config['service_account_impersonation_url'];
  if (typeof impersonation !== 'string' || impersonation === '') return federated;
  return await impersonate(deps, checkedUrl(impersonation, impersonationHosts, file), federated, signal);
}

async function ofAccount(deps: GoogleDeps, account: AccountRef, nowMs: number, signal: AbortSignal): Promise<AccessToken> {
  const federation = await federationOfCluster(deps, signal);
  const target = await annotationOf(deps.world, account, 'iam.gke.io/gcp-service-account', signal);
  const subjectToken = await accountToken(deps.world, account, federation.tokenAudience, signal);
  const federated = await trade(deps, federation, subjectToken, nowMs, signal);
  if (!target) return federated;
  const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(target)}:generateAccessToken`;
  return await impersonate(deps, url, federated, signal);
}

/** The pool that the operator's own configuration names, else that of a GKE cluster. */
async function federationOfCluster(deps: GoogleDeps, signal: AbortSignal): Promise<Federation> {
  const file = deps.world.environment['GOOGLE_APPLICATION_CREDENTIALS'];
  if (file) return federationOf(await readConfiguration(deps, file), file);
  const paths = ['project/project-id', 'instance/attributes/cluster-location', 'instance/attributes/cluster-name'];
  const [project, location, cluster] = await Promise.all(paths.map((path) => askMetadata(deps, path, signal)));
  const pool = `${project}.svc.id.goog`;
  const provider = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${cluster}`;
  return { audience: `identitynamespace:${pool}:${provider}`, tokenAudience: pool, subjectTokenType: jwtType, tokenUrl: sts };
}

async function trade(
  { http }: GoogleDeps,
  federation: Federation,
  subjectToken: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<AccessToken> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: federation.audience,
    scope,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: federation.subjectTokenType,
    subject_token: subjectToken,
  };
  const answer = await http.json({ method: 'POST', url: federation.tokenUrl, form, signal });
  return { token: memberOf(answer, 'access_token', 'the token exchange'), expiresAtMs: endOfLife(answer['expires_in'], nowMs) };
}

async function impersonate({ http }: GoogleDeps, url: string, { token }: AccessToken, signal: AbortSignal): Promise<AccessToken> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await http.json({ method: 'POST', url, headers, body: JSON.stringify({ scope: [scope] }), signal });
  const expiresAtMs = typeof answer['expireTime'] === 'string' ? Date.parse(answer['expireTime']) : Number.NaN;
  return { token: memberOf(answer, 'accessToken', 'the impersonation'), expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs };
}

async function askMetadata({ http }: GoogleDeps, path: string, signal: AbortSignal): Promise<string> {
  const headers = { 'metadata-flavor': 'Google', accept: '*/*' };
  return (await http.text({ method: 'GET', url: `${metadata}/${path}`, headers, isMetadata: true, signal })).trim();
}

async function readConfiguration({ world }: GoogleDeps, file: string): Promise<Readonly<Record<string, unknown>>> {
  const config = parseJsonObject(Buffer.from(await world.readFile(file), 'utf8'));
  if (config?.['type'] === 'external_account') return config;
  throw new NoIdentity(
    `${file} is no configuration of workload identity federation (type external_account); a key file belongs into a pull secret, as the password of the user _json_key`,
  );
}

function federationOf(config: Readonly<Record<string, unknown>>, file: string): Federation {
  const audience = memberOf(config, 'audience', file);
  const type = config['subject_token_type'];
  const tokenUrl = checkedUrl(memberOf(config, 'token_url', file), tokenHosts, file);
  // A provider takes tokens for its own full name, unless it says otherwise.
  const tokenAudience = audience.startsWith('//') ? `https:${audience}` : audience;
  return { audience, tokenAudience, subjectTokenType: typeof type === 'string' ? type : jwtType, tokenUrl };
}

async function subjectTokenOf({ world }: GoogleDeps, source: Readonly<Record<string, unknown>>, file: string): Promise<string> {
  if (typeof source['file'] !== 'string') throw new NoIdentity(`${file}: only a "credential_source" with a "file" is supported`);
  const text = await tokenFile(world, source['file']);
  const format = isJsonObject(source['format']) ? source['format'] : {};
  if (format['type'] !== 'json') return text;
  const parsed = parseJsonObject(Buffer.from(text, 'utf8')) ?? {};
  return memberOf(parsed, memberOf(format, 'subject_token_field_name', file), source['file']);
}

function checkedUrl(text: string, hosts: RegExp, file: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.port === '' && hosts.test(url.hostname)) return url.href;
  throw new NoIdentity(`${file} names an address that is none of Google's; the token is not sent there`);
}
