/** The registry of a cloud that gives credentials to workloads by their identity, and where it does. */
export type CloudRegistry = EcrRegistry | { readonly cloud: 'Google' } | { readonly cloud: 'Azure'; readonly host: string };

export interface EcrRegistry {
  readonly cloud: 'AWS';
  /** Of the signature. */
  readonly region: string;
  readonly service: 'ecr' | 'ecr-public';
  readonly api: string;
  readonly sts: string;
}

const region = '[a-z]{2,4}(?:-[a-z]+){1,3}-\\d{1,2}';
/** Whole host names: under these domains everybody can have a name, but not these. */
const ecrPattern = new RegExp(`^\\d{12}\\.dkr([.-])ecr(-fips)?\\.(${region})\\.([a-z0-9.-]+)$`);
const ecrPublic: EcrRegistry = {
  cloud: 'AWS',
  region: 'us-east-1',
  service: 'ecr-public',
  api: 'api.ecr-public.us-east-1.amazonaws.com',
  sts: 'sts.us-east-1.amazonaws.com',
};
/** Domains with a dot before `ecr` in the name. */
const domains = new Set([
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'sc2s.sgov.gov',
  'c2s.ic.gov',
  'cloud.adc-e.uk',
  'csp.hci.ic.gov',
]);
/** Domains of names that have IPv6 addresses too, and the domains of their APIs. */
const dualStackDomains: Readonly<Record<string, string>> = {
  'on.aws': 'api.aws',
  'on.amazonwebservices.com.cn': 'api.amazonwebservices.com.cn',
  'on.amazonwebservices.eu': 'api.amazonwebservices.eu',
};

/** Which cloud's registry this is, by its host; undefined for any other, and for one with a port of its own. */
export function cloudOf(registry: string): CloudRegistry | undefined {
  const host = registry.toLowerCase().replace(/:443$/, '');
  if (host === 'public.ecr.aws') return ecrPublic;
  if (/^(?:(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+\.pkg\.dev)$/.test(host)) return { cloud: 'Google' };
  if (/^[a-z0-9-]+\.azurecr\.(?:io|cn|us|de)$/.test(host)) return { cloud: 'Azure', host };
  return ecrOf(host);
}

function ecrOf(host: string): EcrRegistry | undefined {
  const [, separator, fips = '', name = '', domain = ''] = ecrPattern.exec(host) ?? [];
  const dualStack = Object.hasOwn(dualStackDomains, domain) ? dualStackDomains[domain] : undefined;
  if (separator === '-' && dualStack !== undefined) {
    return { cloud: 'AWS', region: name, service: 'ecr', api: `ecr${fips}.${name}.${dualStack}`, sts: `sts.${name}.${dualStack}` };
  }
  if (separator !== '.' || !domains.has(domain)) return undefined;
  const api = fips === '' ? `api.ecr.${name}.${domain}` : `ecr${fips}.${name}.${domain}`;
  return { cloud: 'AWS', region: name, service: 'ecr', api, sts: `sts.${name}.${domain}` };
}
