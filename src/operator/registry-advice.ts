import type { RegistryError, RegistryErrorCode } from '../errors.ts';

/** What advice depends on beside the failure. */
export interface AdviceFacts {
  readonly registry: string;
  /** Sources of credentials that were at hand; `anonymous` is one. */
  readonly sources: readonly string[];
  readonly isPlainHttp: boolean;
}

/** What a person can do about a failed call of a registry: one sentence with the setting, command or object to change. */
export function adviceFor(error: RegistryError, facts: AdviceFacts): string {
  const cause = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
  if (cause === 'Tls') return tlsAdvice(error.message, facts);
  return error.code === 'Blocked' ? blockedAdvice(error.message, facts) : advice[error.code](facts);
}

const advice: Readonly<Record<Exclude<RegistryErrorCode, 'Blocked'>, (facts: AdviceFacts) => string>> = {
  Unauthorized: ({ registry, sources }) =>
    hasLogin(sources)
      ? `put a valid login for ${registry} into ${listed(sources)}; one that was refused is tried again within a minute of the change`
      : pullSecretAdvice(registry),
  Denied: ({ registry, sources }) =>
    hasLogin(sources)
      ? `give the account in ${listed(sources)} the right to pull this repository from ${registry}`
      : pullSecretAdvice(registry),
  NotFound: ({ registry, sources }) =>
    `check the names of repository and tag${hasLogin(sources) ? `, and that the account in ${listed(sources)} may see them` : `; ${registry} also says so when a login is missing`}`,
  RateLimited: () =>
    'wait until the cool-down is over; a login (pull secret) often has a larger limit, and a longer polling interval asks less',
  Unavailable: ({ registry }) => `check that ${registry} is up and that its name, port, proxy and network policies let this place reach it`,
  Timeout: ({ registry }) => `check network policies, firewall and proxy on the way to ${registry}: it did not answer in time`,
  TooLarge: () => 'the answer is larger than any real one: check what answers under this name',
  DigestMismatch: () => 'somebody on the way, a mirror or a cache, gives other content than was asked for; do not deploy it',
  Unsupported: () => 'push the image again with a current tool: schema 1 and unknown media types cannot be deployed by digest',
  PaginationOffHost: ({ registry }) => `${registry} leads to another host for the next page of tags: correct its external URL`,
  Protocol: ({ registry, isPlainHttp }) =>
    `check that ${registry} is a registry and not a page for signing in or an error page of a proxy${isPlainHttp ? ', and that it speaks plain HTTP and not HTTPS' : ''}`,
};

function blockedAdvice(message: string, { registry }: AdviceFacts): string {
  if (/address \S* ?is private/.test(message)) {
    return `set allowPrivate for ${registry} in the configuration, if the address it leads to is one of yours`;
  }
  if (message.includes('link-local')) {
    return `such an address is never contacted: correct the name of ${registry} in the DNS, or the external URL in its own settings`;
  }
  return 'the host, or one it leads to, may not be contacted: see allowedRegistries, deniedRegistries and allowPrivate in the configuration';
}

function tlsAdvice(message: string, { registry, isPlainHttp }: AdviceFacts): string {
  if (isPlainHttp || /wrong version number|packet length too long/i.test(message)) {
    return `${registry} seems to speak plain HTTP: add it to HEADWIND_REGISTRY_INSECURE_HOSTS, or set insecure for it in the configuration`;
  }
  const where = `caCertificatePaths of its entry, or tls.caCertificatePaths`;
  return `give the authority of its certificate as PEM file (${where}), or correct the certificate: its names and its dates`;
}

function pullSecretAdvice(registry: string): string {
  const command = `kubectl create secret docker-registry regcred --docker-server=${registry} --docker-username=… --docker-password=…`;
  return `add a pull secret (${command}) and name it in imagePullSecrets of the workload or of its ServiceAccount`;
}

function hasLogin(sources: readonly string[]): boolean {
  return sources.some((source) => source !== 'anonymous');
}

function listed(sources: readonly string[]): string {
  return sources.filter((source) => source !== 'anonymous').join(', ');
}
