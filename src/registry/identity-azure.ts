import type { Issued } from './identity-cache.ts';
import { type IdentityHttp, memberOf } from './identity-http.ts';
import { accountToken, type AccountRef, annotationOf, type Holder, type IdentityWorld, NoIdentity, tokenFile } from './identity-world.ts';
import { parseJsonObject } from './json.ts';

export interface AzureDeps {
  readonly http: IdentityHttp;
  readonly world: IdentityWorld;
}

interface Assertion {
  readonly client: string;
  readonly tenant: string;
  /** What the cluster says of the identity. */
  readonly token: string;
}

const resource = 'https://containerregistry.azure.net/';
const instanceTokens = 'http://169.254.169.254/metadata/identity/oauth2/token';
/** Where Microsoft gives tokens: an address from the environment is one of these. */
const authorities = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.microsoftonline.de',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
]);

/** A refresh token of one registry for the holder's Azure identity. Throws NoIdentity. */
export async function issueForAzure(deps: AzureDeps, holder: Holder, registry: string, signal: AbortSignal): Promise<Issued> {
  const token = await (holder === 'operator' ? ofOperator(deps, signal) : ofAccount(deps, holder, signal));
  const { tid } = claimsOf(token);
  const form = {
    grant_type: 'access_token',
    service: registry,
    ...(typeof tid === 'string' ? { tenant: tid } : {}),
    access_token: token,
  };
  const answer = await deps.http.json({ method: 'POST', url: `https://${registry}/oauth2/exchange`, form, signal });
  const refreshToken = memberOf(answer, 'refresh_token', registry);
  const { exp } = claimsOf(refreshToken);
  return { contents: [{ kind: 'identity', token: refreshToken }], expiresAtMs: typeof exp === 'number' ? exp * 1000 : undefined };
}

async function ofOperator(deps: AzureDeps, signal: AbortSignal): Promise<string> {
  const { AZURE_FEDERATED_TOKEN_FILE: file, AZURE_CLIENT_ID: client, AZURE_TENANT_ID: tenant } = deps.world.environment;
  if (!file) return await ofInstance(deps, client, signal);
  if (!client || !tenant) throw new NoIdentity('AZURE_CLIENT_ID and AZURE_TENANT_ID are needed beside AZURE_FEDERATED_TOKEN_FILE');
  return await assert(deps, { client, tenant, token: await tokenFile(deps.world, file) }, signal);
}

async function ofAccount(deps: AzureDeps, account: AccountRef, signal: AbortSignal): Promise<string> {
  const annotation = 'azure.workload.identity/client-id';
  const client = await annotationOf(deps.world, account, annotation, signal);
  if (!client) throw new NoIdentity(`it has no annotation ${annotation}`, { isExpected: true });
  const ownTenant = await annotationOf(deps.world, account, 'azure.workload.identity/tenant-id', signal);
  const tenant = ownTenant || deps.world.environment['AZURE_TENANT_ID'];
  if (!tenant) throw new NoIdentity('it has no annotation azure.workload.identity/tenant-id, and AZURE_TENANT_ID is not set');
  return await assert(
    deps,
    { client, tenant, token: await accountToken(deps.world, account, 'api://AzureADTokenExchange', signal) },
    signal,
  );
}

async function assert({ http, world }: AzureDeps, { client, tenant, token }: Assertion, signal: AbortSignal): Promise<string> {
  const form = {
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${resource}.default`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: token,
  };
  const url = new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authorityOf(world)).href;
  return memberOf(await http.json({ method: 'POST', url, form, signal }), 'access_token', 'Microsoft Entra ID');
}

async function ofInstance({ http }: AzureDeps, client: string | undefined, signal: AbortSignal): Promise<string> {
  const url = new URL(instanceTokens);
  url.searchParams.set('api-version', '2018-02-01');
  url.searchParams.set('resource', resource);
  if (client) url.searchParams.set('client_id', client);
  const answer = await http.json({ method: 'GET', url: url.href, headers: { metadata: 'true' }, isMetadata: true, signal });
  return memberOf(answer, 'access_token', 'the metadata of the instance');
}

function authorityOf({ environment }: IdentityWorld): URL {
  const text = environment['AZURE_AUTHORITY_HOST'] || 'https://login.microsoftonline.com/';
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.port === '' && authorities.has(url.hostname)) return url;
  throw new NoIdentity(`AZURE_AUTHORITY_HOST names none of Microsoft's hosts (${[...authorities].join(', ')})`);
}

/** What a token says of itself; for its registry and issuer to check, not for us. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return parseJsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url')) ?? {};
}
