/** What differs from the distribution specification. The only module that knows vendors: a new quirk is a new row. */
export interface Quirks {
  /** Host of the API, where images are named after another one. */
  readonly apiHost?: string;
  /** A public service: calls are limited in number and rate. Others are in somebody's own network. */
  readonly isPublic?: boolean;
  readonly concurrency?: number;
  /** A 404 to HEAD is true, and a GET costs quota or finds no more: it is not asked again. */
  readonly headIsReliable?: boolean;
  /** 403 with signs of a limit means "too many requests" (secondary limits). */
  readonly limitsBy403?: boolean;
  /** Header with the SHA-256 of a manifest, where `Docker-Content-Digest` may be missing. */
  readonly checksumHeader?: string;
  /** Other paths below which a repository may be, where `/v2/<repository>/` has nothing. */
  readonly otherRoots?: (repository: string) => readonly string[];
}

interface VendorRow {
  readonly vendor: string;
  readonly hosts: readonly string[];
  readonly quirks: Quirks;
}

/** Patterns match label by label (`*` is one label). The first row wins. */
const hostRows: readonly VendorRow[] = [
  {
    vendor: 'Docker Hub',
    hosts: ['docker.io'],
    quirks: { apiHost: 'registry-1.docker.io', isPublic: true, concurrency: 2, headIsReliable: true },
  },
  { vendor: 'Docker Hub', hosts: ['auth.docker.io'], quirks: { isPublic: true } },
  { vendor: 'GitHub', hosts: ['ghcr.io'], quirks: { isPublic: true, limitsBy403: true } },
  { vendor: 'Quay', hosts: ['quay.io'], quirks: { isPublic: true } },
  {
    vendor: 'Amazon ECR',
    hosts: [
      '*.dkr.ecr.*.amazonaws.com',
      '*.dkr.ecr.*.amazonaws.com.cn',
      '*.dkr.ecr-fips.*.amazonaws.com',
      '*.dkr-ecr.*.on.aws',
      '*.dkr-ecr-fips.*.on.aws',
      '*.dkr.ecr.*.amazonaws.eu',
      '*.dkr-ecr.*.on.amazonwebservices.eu',
    ],
    quirks: { isPublic: true },
  },
  { vendor: 'Amazon ECR Public', hosts: ['public.ecr.aws'], quirks: { isPublic: true } },
  { vendor: 'Google Artifact Registry', hosts: ['*.pkg.dev', 'gcr.io', '*.gcr.io'], quirks: { isPublic: true } },
  { vendor: 'Azure', hosts: ['*.azurecr.io', '*.azurecr.cn', '*.azurecr.us', '*.azurecr.de'], quirks: { isPublic: true } },
  { vendor: 'GitLab', hosts: ['registry.gitlab.com'], quirks: { isPublic: true } },
  { vendor: 'Kubernetes', hosts: ['registry.k8s.io'], quirks: { isPublic: true } },
  { vendor: 'Microsoft', hosts: ['mcr.microsoft.com'], quirks: { isPublic: true } },
  { vendor: 'Chainguard', hosts: ['cgr.dev'], quirks: { isPublic: true } },
  { vendor: 'Red Hat', hosts: ['registry.redhat.io', 'registry.access.redhat.com'], quirks: { isPublic: true } },
];

/** Products that anybody may run under any name show themselves by a header. */
const markerRows: readonly { readonly vendor: string; readonly headers: readonly string[]; readonly quirks: Quirks }[] = [
  {
    vendor: 'Artifactory',
    headers: ['x-jfrog-version', 'x-artifactory-id', 'x-artifactory-node-id'],
    quirks: { checksumHeader: 'x-checksum-sha256', headIsReliable: true, otherRoots: repositoryPaths },
  },
];

/** The repository-path method: the first component is the key of the repository, all others are the image. */
function repositoryPaths(repository: string): readonly string[] {
  const slash = repository.indexOf('/');
  if (slash < 0) return [];
  const image = repository.slice(slash + 1);
  const root = `/artifactory/api/docker/${repository.slice(0, slash)}/v2/`;
  // What mirrors Docker Hub has the official images under the name that they have there.
  return image.includes('/') ? [`${root}${image}/`] : [`${root}${image}/`, `${root}library/${image}/`];
}

/** The vendors that have a row, for the test that each is tried. */
export const vendors: ReadonlySet<string> = new Set([...hostRows, ...markerRows].map(({ vendor }) => vendor));

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
