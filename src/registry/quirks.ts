/** What differs from the distribution specification. The only module that knows vendors: a new quirk is a new row. */
export interface Quirks {
  /** Host of the API, where images are named after another one. */
  readonly apiHost?: string;
  /** A public service: calls are limited in number and rate. Others are in somebody's own network. */
  readonly isPublic?: boolean;
  readonly concurrency?: number;
  /** HEAD can be trusted, and a GET costs quota: a 404 is not asked again. */
  readonly headIsReliable?: boolean;
  /** 403 with signs of a limit means "too many requests" (secondary limits). */
  readonly limitsBy403?: boolean;
  /** Header with the SHA-256 of a manifest, where `Docker-Content-Digest` may be missing. */
  readonly checksumHeader?: string;
}

/** Patterns match label by label (`*` is one label). The first row wins. */
const hostRows: readonly { readonly hosts: readonly string[]; readonly quirks: Quirks }[] = [
  { hosts: ['docker.io'], quirks: { apiHost: 'registry-1.docker.io', isPublic: true, concurrency: 2, headIsReliable: true } },
  { hosts: ['ghcr.io'], quirks: { isPublic: true, limitsBy403: true } },
  {
    hosts: [
      'auth.docker.io',
      'quay.io',
      '*.dkr.ecr.*.amazonaws.com',
      '*.dkr.ecr.*.amazonaws.com.cn',
      '*.dkr.ecr-fips.*.amazonaws.com',
      '*.dkr-ecr.*.on.aws',
      '*.dkr-ecr-fips.*.on.aws',
      '*.dkr.ecr.*.amazonaws.eu',
      '*.dkr-ecr.*.on.amazonwebservices.eu',
      'public.ecr.aws',
      '*.pkg.dev',
      'gcr.io',
      '*.gcr.io',
      '*.azurecr.io',
      '*.azurecr.cn',
      '*.azurecr.us',
      '*.azurecr.de',
      'registry.gitlab.com',
      'registry.k8s.io',
      'mcr.microsoft.com',
      'cgr.dev',
      'registry.redhat.io',
      'registry.access.redhat.com',
    ],
    quirks: { isPublic: true },
  },
];

const markerRows: readonly { readonly headers: readonly string[]; readonly quirks: Quirks }[] = [
  {
    headers: ['x-jfrog-version', 'x-artifactory-id', 'x-artifactory-node-id'],
    quirks: { checksumHeader: 'x-checksum-sha256' },
  },
];

/** The quirks of a registry by its canonical host; the port does not count. */
export function quirksOfHost(host: string): Quirks {
  const labels = host.replace(/:\d+$/, '').toLowerCase().split('.');
  const row = hostRows.find(({ hosts }) => hosts.some((pattern) => matches(pattern.split('.'), labels)));
  return row?.quirks ?? {};
}

/** The quirks that an answer shows by its headers. */
export function quirksOfAnswer(headers: Readonly<Record<string, string>>): Quirks {
  return markerRows.find((row) => row.headers.some((name) => headers[name] !== undefined))?.quirks ?? {};
}

function matches(pattern: readonly string[], labels: readonly string[]): boolean {
  return pattern.length === labels.length && pattern.every((part, index) => part === '*' || part === labels[index]);
}
