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
  /** The rights to ask a token server for, instead of `pull`. */
  readonly pullActions?: string;
  /** Other paths below which a repository may be, where `/v2/<repository>/` has nothing. */
  readonly otherRoots?: (repository: string) => readonly string[];
  /** Where the registry tells when tags were pushed. */
  readonly pushTimes?: PushTimesSource;
}

/** Pages of tags with times, beside what all registries have. */
export interface PushTimesSource {
  /** An URL, or a path of the registry's own host; `page` counts from 1. */
  readonly page: (repository: string, page: number) => string;
  /** Asked with the credentials of the repository; otherwise without any. */
  readonly withLogin: boolean;
  /** Member that holds the list; of a map the keys are digests, and an entry names its tags in `tag`. */
  readonly list: string;
  /** Members of an entry. */
  readonly time: string;
  readonly unit: 's' | 'ms' | 'date';
  readonly digest?: string;
  /** The next page: a member that says so, a link in the header, or there is none. */
  readonly next: 'link' | 'none' | { readonly member: string };
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
    quirks: {
      apiHost: 'registry-1.docker.io',
      isPublic: true,
      concurrency: 2,
      headIsReliable: true,
      pushTimes: {
        page: (repository, page) =>
          `https://hub.docker.com/v2/repositories/${repository}/tags?page_size=100&ordering=last_updated&page=${page}`,
        withLogin: false,
        list: 'results',
        time: 'tag_last_pushed',
        unit: 'date',
        digest: 'digest',
        next: { member: 'next' },
      },
    },
  },
  { vendor: 'Docker Hub', hosts: ['auth.docker.io', 'hub.docker.com'], quirks: { isPublic: true } },
  { vendor: 'GitHub', hosts: ['ghcr.io'], quirks: { isPublic: true, limitsBy403: true } },
  {
    vendor: 'Quay',
    hosts: ['quay.io'],
    quirks: {
      isPublic: true,
      pushTimes: {
        page: (repository, page) => `/api/v1/repository/${repository}/tag/?limit=100&page=${page}&onlyActiveTags=true`,
        // Private repositories would need a token that no pull secret holds.
        withLogin: false,
        list: 'tags',
        time: 'start_ts',
        unit: 's',
        digest: 'manifest_digest',
        next: { member: 'has_additional' },
      },
    },
  },
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
  {
    vendor: 'Google Artifact Registry',
    hosts: ['*.pkg.dev', 'gcr.io', '*.gcr.io'],
    quirks: {
      isPublic: true,
      pushTimes: {
        page: (repository) => `/v2/${repository}/tags/list`,
        withLogin: true,
        list: 'manifest',
        time: 'timeUploadedMs',
        unit: 'ms',
        next: 'none',
      },
    },
  },
  {
    vendor: 'Azure',
    hosts: ['*.azurecr.io', '*.azurecr.cn', '*.azurecr.us', '*.azurecr.de'],
    quirks: {
      isPublic: true,
      pullActions: 'pull,metadata_read,content_read',
      pushTimes: {
        page: (repository) => `/acr/v1/${repository}/_tags?orderby=timedesc&n=100`,
        withLogin: true,
        list: 'tags',
        time: 'lastUpdateTime',
        unit: 'date',
        digest: 'digest',
        next: 'link',
      },
    },
  },
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
