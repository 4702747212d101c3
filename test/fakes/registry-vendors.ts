import type { RegistrySwitches } from './registry.ts';

/** A vendor's registry as the fake plays it. */
export interface VendorFake {
  /** As the table of quirks calls it; products without a row have only a name here. */
  readonly vendor: string;
  readonly host: string;
  readonly repository: string;
  /** Key and login of a pull secret. */
  readonly login?: { readonly key: string; readonly username: string; readonly password: string };
  readonly switches: Partial<RegistrySwitches>;
  /** Requests of the first look at a tag; of later ones the last is enough. */
  readonly resolve: readonly string[];
  /** Requests that a list of 250 tags takes, tokens not counted. */
  readonly pages: number;
}

const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const gar = 'europe-docker.pkg.dev';

function scopeOf(repository: string): string {
  return `scope=repository%3A${repository.replaceAll('/', '%2F')}%3Apull`;
}

export const vendorFakes: readonly VendorFake[] = [
  {
    vendor: 'Docker Hub',
    host: 'docker.io',
    repository: 'library/nginx',
    login: { key: 'https://index.docker.io/v1/', username: 'acme', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="<scope>"',
      users: { acme: 'canary' },
      etag: 'digest',
      headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
    },
    resolve: [
      'HEAD https://registry-1.docker.io/v2/library/nginx/manifests/1.0.0',
      `GET https://auth.docker.io/token?service=registry.docker.io&${scopeOf('library/nginx')}`,
      'HEAD https://registry-1.docker.io/v2/library/nginx/manifests/1.0.0',
    ],
    pages: 1,
  },
  {
    vendor: 'GitHub',
    host: 'ghcr.io',
    repository: 'acme/app',
    login: { key: 'ghcr.io', username: 'acme', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="<scope>"',
      users: { acme: 'canary' },
      tagOrder: 'oldest-first',
      pageSize: 100,
    },
    resolve: [
      'HEAD https://ghcr.io/v2/acme/app/manifests/1.0.0',
      `GET https://ghcr.io/token?service=ghcr.io&${scopeOf('acme/app')}`,
      'HEAD https://ghcr.io/v2/acme/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Quay',
    host: 'quay.io',
    repository: 'acme/app',
    login: { key: 'quay.io', username: 'acme+robot', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="<scope>"',
      tokenPath: '/v2/auth',
      users: { 'acme+robot': 'canary' },
      tagOrder: 'oldest-first',
      pageSize: 50,
    },
    resolve: [
      'HEAD https://quay.io/v2/acme/app/manifests/1.0.0',
      `GET https://quay.io/v2/auth?service=quay.io&${scopeOf('acme/app')}`,
      'HEAD https://quay.io/v2/acme/app/manifests/1.0.0',
    ],
    pages: 5,
  },
  {
    vendor: 'Amazon ECR',
    host: ecr,
    repository: 'team/app',
    login: { key: '*.dkr.ecr.*.amazonaws.com', username: 'AWS', password: 'canary' },
    switches: {
      auth: 'basic',
      challenge: `Basic realm="https://${ecr}/",service="ecr.amazonaws.com"`,
      users: { AWS: 'canary' },
      digestHeader: 'head-only',
      tagsType: 'text/plain; charset=utf-8',
      link: 'absolute',
      opaqueLast: true,
      maximumN: 1000,
      refusalOfN: 'UNSUPPORTED',
      pageSize: 100,
    },
    resolve: [`HEAD https://${ecr}/v2/team/app/manifests/1.0.0`, `HEAD https://${ecr}/v2/team/app/manifests/1.0.0`],
    pages: 3,
  },
  {
    vendor: 'Amazon ECR Public',
    host: 'public.ecr.aws',
    repository: 'acme/app',
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
      anonymousPull: true,
    },
    resolve: [
      'HEAD https://public.ecr.aws/v2/acme/app/manifests/1.0.0',
      `GET https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws&${scopeOf('acme/app')}`,
      'HEAD https://public.ecr.aws/v2/acme/app/manifests/1.0.0',
    ],
    pages: 1,
  },
  {
    vendor: 'Google Artifact Registry',
    host: gar,
    repository: 'proj/repo/app',
    login: { key: gar, username: 'oauth2accesstoken', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: `Bearer realm="https://${gar}/v2/token",service="${gar}",scope="<scope>"`,
      tokenPath: '/v2/token',
      users: { oauth2accesstoken: 'canary' },
      tagsMembers: {
        child: [],
        manifest: { [`sha256:${'a'.repeat(64)}`]: { tag: ['1.0.0'], timeUploadedMs: '1700000000000', imageSizeBytes: '5' } },
      },
    },
    resolve: [
      `HEAD https://${gar}/v2/proj/repo/app/manifests/1.0.0`,
      `GET https://${gar}/v2/token?service=${gar}&${scopeOf('proj/repo/app')}`,
      `HEAD https://${gar}/v2/proj/repo/app/manifests/1.0.0`,
    ],
    pages: 1,
  },
  {
    vendor: 'Azure',
    host: 'acme.azurecr.io',
    repository: 'team/app',
    login: { key: '*.azurecr.io', username: '00000000-0000-0000-0000-000000000000', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://acme.azurecr.io/oauth2/token",service="acme.azurecr.io",scope="<scope>"',
      tokenPath: '/oauth2/token',
      tokenField: 'access_token',
      users: { '00000000-0000-0000-0000-000000000000': 'canary' },
      pageSize: 100,
      linkExtra: '&orderby=',
    },
    resolve: [
      'HEAD https://acme.azurecr.io/v2/team/app/manifests/1.0.0',
      `GET https://acme.azurecr.io/oauth2/token?service=acme.azurecr.io&${scopeOf('team/app')}&${scopeOf('team/app')}%2Cmetadata_read%2Ccontent_read`,
      'HEAD https://acme.azurecr.io/v2/team/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'GitLab',
    host: 'registry.gitlab.com',
    repository: 'group/project/app',
    login: { key: 'registry.gitlab.com', username: 'gitlab+deploy-token-1', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="<scope>"',
      tokenPath: '/jwt/auth',
      users: { 'gitlab+deploy-token-1': 'canary' },
      pageSize: 100,
      link: 'absolute',
    },
    resolve: [
      'HEAD https://registry.gitlab.com/v2/group/project/app/manifests/1.0.0',
      `GET https://gitlab.com/jwt/auth?service=container_registry&${scopeOf('group/project/app')}`,
      'HEAD https://registry.gitlab.com/v2/group/project/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Kubernetes',
    host: 'registry.k8s.io',
    repository: 'pause',
    switches: {
      // Sent on to a mirror in the region.
      intercept: ({ url }, response) =>
        !url.includes('images/') && Boolean(response.writeHead(307, { location: url.replace('/v2/', '/v2/images/') }).end()),
    },
    resolve: ['HEAD https://registry.k8s.io/v2/pause/manifests/1.0.0'],
    pages: 1,
  },
  {
    vendor: 'Microsoft',
    host: 'mcr.microsoft.com',
    repository: 'dotnet/runtime',
    switches: {},
    resolve: ['HEAD https://mcr.microsoft.com/v2/dotnet/runtime/manifests/1.0.0'],
    pages: 1,
  },
  {
    vendor: 'Chainguard',
    host: 'cgr.dev',
    repository: 'chainguard/static',
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://cgr.dev/token",service="cgr.dev",scope="<scope>"',
      anonymousPull: true,
      pageSize: 100,
    },
    resolve: [
      'HEAD https://cgr.dev/v2/chainguard/static/manifests/1.0.0',
      `GET https://cgr.dev/token?service=cgr.dev&${scopeOf('chainguard/static')}`,
      'HEAD https://cgr.dev/v2/chainguard/static/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Red Hat',
    host: 'registry.redhat.io',
    repository: 'ubi9/ubi',
    login: { key: 'registry.redhat.io', username: '1234|acme', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://registry.redhat.io/auth/realms/rhcc/protocol/redhat-docker-v2/auth",service="docker-registry"',
      tokenPath: '/auth/realms/rhcc/protocol/redhat-docker-v2/auth',
      users: { '1234|acme': 'canary' },
      digestHeader: 'missing',
      gzip: true,
    },
    resolve: [
      'HEAD https://registry.redhat.io/v2/ubi9/ubi/manifests/1.0.0',
      `GET https://registry.redhat.io/auth/realms/rhcc/protocol/redhat-docker-v2/auth?service=docker-registry&${scopeOf('ubi9/ubi')}`,
      'HEAD https://registry.redhat.io/v2/ubi9/ubi/manifests/1.0.0',
      'GET https://registry.redhat.io/v2/ubi9/ubi/manifests/1.0.0',
    ],
    pages: 1,
  },
  {
    vendor: 'Artifactory',
    host: 'acme.jfrog.io',
    repository: 'docker-local/team/app',
    login: { key: 'acme.jfrog.io', username: 'ci', password: 'canary' },
    switches: {
      auth: 'basic',
      challenge: 'Basic realm="Artifactory Realm"',
      users: { ci: 'canary' },
      artifactory: true,
      digestHeader: 'missing',
      etag: 'sha1',
      conditional: false,
      pageSize: 100,
      link: 'prefix-lost',
    },
    resolve: [
      'HEAD https://acme.jfrog.io/v2/docker-local/team/app/manifests/1.0.0',
      'HEAD https://acme.jfrog.io/v2/docker-local/team/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Artifactory, repository path',
    host: 'artifactory.acme.example',
    repository: 'docker-local/team/app',
    login: { key: 'artifactory.acme.example', username: 'ci', password: 'canary' },
    switches: {
      auth: 'bearer',
      challenge:
        'Bearer realm="https://artifactory.acme.example/artifactory/api/docker/docker-local/v2/token",service="artifactory.acme.example",scope="repository:team/app:pull"',
      tokenPath: '/artifactory/api/docker/docker-local/v2/token',
      users: { ci: 'canary' },
      artifactory: true,
      repositoryPath: true,
      digestHeader: 'missing',
      etag: 'sha1',
      pageSize: 100,
      link: 'prefix-lost',
    },
    resolve: [
      'HEAD https://artifactory.acme.example/v2/docker-local/team/app/manifests/1.0.0',
      'HEAD https://artifactory.acme.example/artifactory/api/docker/docker-local/v2/team/app/manifests/1.0.0',
      `GET https://artifactory.acme.example/artifactory/api/docker/docker-local/v2/token?service=artifactory.acme.example&${scopeOf('team/app')}&${scopeOf('docker-local/team/app')}`,
      'HEAD https://artifactory.acme.example/artifactory/api/docker/docker-local/v2/team/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Harbor',
    host: 'harbor.acme.example',
    repository: 'proj/app',
    login: { key: 'harbor.acme.example', username: 'robot$proj+ci', password: 'canary%$&' },
    switches: {
      auth: 'bearer',
      challenge: 'Bearer realm="https://harbor.acme.example/service/token",service="harbor-registry",scope="<scope>"',
      tokenPath: '/service/token',
      users: { 'robot$proj+ci': 'canary%$&' },
      pageSize: 100,
    },
    resolve: [
      'HEAD https://harbor.acme.example/v2/proj/app/manifests/1.0.0',
      `GET https://harbor.acme.example/service/token?service=harbor-registry&${scopeOf('proj/app')}`,
      'HEAD https://harbor.acme.example/v2/proj/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Nexus',
    host: 'nexus.acme.example:8443',
    repository: 'app',
    login: { key: 'nexus.acme.example:8443', username: 'ci', password: 'canary' },
    switches: {
      auth: 'basic',
      challenge: 'Basic realm="Sonatype Nexus Repository Manager"',
      users: { ci: 'canary' },
      digestHeader: 'missing',
      conditional: false,
      pageSize: 100,
    },
    resolve: [
      'HEAD https://nexus.acme.example:8443/v2/app/manifests/1.0.0',
      'HEAD https://nexus.acme.example:8443/v2/app/manifests/1.0.0',
      'GET https://nexus.acme.example:8443/v2/app/manifests/1.0.0',
    ],
    pages: 3,
  },
  {
    vendor: 'Gitea',
    host: 'gitea.acme.example',
    repository: 'acme/app',
    login: { key: 'gitea.acme.example', username: 'ci', password: 'canary' },
    switches: {
      auth: 'both',
      challenge:
        'Bearer realm="https://gitea.acme.example/v2/token",service="container_registry",scope="*",Basic realm="https://gitea.acme.example/v2",service="container_registry",scope="*"',
      tokenPath: '/v2/token',
      users: { ci: 'canary' },
      pageSize: 50,
    },
    resolve: [
      'HEAD https://gitea.acme.example/v2/acme/app/manifests/1.0.0',
      `GET https://gitea.acme.example/v2/token?service=container_registry&scope=*&${scopeOf('acme/app')}`,
      'HEAD https://gitea.acme.example/v2/acme/app/manifests/1.0.0',
    ],
    pages: 5,
  },
  {
    vendor: 'distribution before 3.0',
    host: 'registry.acme.example',
    repository: 'acme/app',
    switches: { etag: 'digest', maximumN: 100, refusalOfN: 'PAGINATION_NUMBER_INVALID' },
    resolve: ['HEAD https://registry.acme.example/v2/acme/app/manifests/1.0.0'],
    pages: 4,
  },
];
