/**
 * Image references as the kubelet and containerd read them. The only place that splits on ':' or '@'.
 * Grammar: github.com/distribution/reference; Docker Hub names: `nginx` is `docker.io/library/nginx`.
 */
export interface ImageReference {
  /** The text as the user wrote it; writing back changes only its tag and digest. */
  readonly original: string;
  /** Host with optional port as written; `docker.io` where the text names no host. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<hex>`; the runtime then ignores the tag. */
  readonly digest?: string;
}

export interface InvalidReference {
  readonly invalid: string;
}

const hostLabel = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const hostPattern = new RegExp(`^(?:${hostLabel}(?:\\.${hostLabel})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]+)?$`);
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };
const maximumRepositoryLength = 255;
const maximumShown = 200;

/** Is this a tag that a registry may hold? (OCI distribution spec: 128 characters, no `+`.) */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Is this a digest that an image may be pinned to? Lower-case hex, sha256 or sha512. */
export function isDigest(text: string): boolean {
  const colon = text.indexOf(':');
  const hex = text.slice(colon + 1);
  return digestLengths[text.slice(0, colon)] === hex.length && /^[0-9a-f]+$/.test(hex);
}

/** A text as it stands in a message, which goes into Events and status: nobody limits the length of an image that cannot be read. */
function shown(text: string): string {
  return text.length > maximumShown ? `${text.slice(0, maximumShown)}…` : text;
}

/** Parses an image reference. Total: every text gives a reference or the sentence that says what is wrong. */
export function parseImageReference(text: string): ImageReference | InvalidReference {
  if (text === '') return { invalid: 'the image is empty' };
  if (text.includes('://')) return { invalid: `the image "${shown(text)}" has a scheme; write it without` };
  const { name, tag, digest } = splitReference(text);
  if (/^[0-9a-f]{64}$/.test(name)) return { invalid: `the image "${shown(text)}" is 64 hex digits, which is ambiguous with an image id` };
  if (tag !== undefined && !isTag(tag)) return { invalid: `the image "${shown(text)}" has an invalid tag "${shown(tag)}"` };
  if (digest !== undefined && !(digestPattern.test(digest) && hasKnownLength(digest))) {
    return { invalid: `the image "${shown(text)}" has an invalid digest "${shown(digest)}"` };
  }
  const { registry, path } = splitHost(name);
  if (!hostPattern.test(registry)) return { invalid: `the image "${shown(text)}" has an invalid registry host "${shown(registry)}"` };
  const repository = isDockerHub(registry) && !path.includes('/') ? `library/${path}` : path;
  if (!repository.split('/').every((part) => pathComponent.test(part))) {
    return { invalid: `the image "${shown(text)}" has an invalid repository "${shown(path)}" (lower-case letters, digits, separators)` };
  }
  if (repository.length > maximumRepositoryLength) {
    return { invalid: `the repository of the image is longer than ${maximumRepositoryLength} characters` };
  }
  return {
    original: text,
    registry: registry === 'index.docker.io' ? 'docker.io' : registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The repository's one name for comparing: host in lower case, Docker Hub's other names and `:443` folded. Never written back. */
export function canonicalRepository(reference: { registry: string; repository: string }): string {
  // Joined: a template would keep the longer texts that its pieces were cut from.
  return [canonicalRegistry(reference.registry), reference.repository].join('/');
}

/** The registry's one name for comparing: lower case, without `:443`, `docker.io` for all names of Docker Hub. */
export function canonicalRegistry(written: string): string {
  const lower = written.toLowerCase();
  const registry = lower.endsWith(':443') ? lower.slice(0, -':443'.length) : lower;
  return dockerHubAliases.has(registry) ? 'docker.io' : registry;
}

/** Every name of a canonical registry: Docker Hub has several. */
export function registryNames(canonical: string): readonly string[] {
  return canonical === 'docker.io' ? [...dockerHubAliases] : [canonical];
}

/** The tag that the runtime would pull: `latest` where the reference has neither tag nor digest. */
export function effectiveTag(reference: ImageReference): string | undefined {
  return reference.tag ?? (reference.digest === undefined ? 'latest' : undefined);
}

/** A text without a tag or digest, whether or not it is a valid reference: `localhost:5000/app:1` gives `localhost:5000/app`. */
export function withoutTagAndDigest(text: string): string {
  return splitReference(text).name;
}

/**
 * The user's text with another tag and digest; every other character stays.
 * `digest: undefined` removes a digest, a missing `tag` keeps the tag.
 */
export function withTagAndDigest(reference: ImageReference, change: { tag?: string | undefined; digest?: string | undefined }): string {
  const { name } = splitReference(reference.original);
  const tag = change.tag ?? reference.tag;
  return name + (tag === undefined ? '' : `:${tag}`) + (change.digest === undefined ? '' : `@${change.digest}`);
}

/** The name without tag and digest, spelled as the user did: with its registry, and without. */
export function repositoryAsWritten(reference: ImageReference): { name: string; path: string } {
  const { name } = splitReference(reference.original);
  return { name, path: splitHost(name).path };
}

const dockerHubAliases = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com', 'hub.docker.com']);

function isDockerHub(registry: string): boolean {
  return registry === 'docker.io' || registry === 'index.docker.io';
}

function hasKnownLength(digest: string): boolean {
  const colon = digest.indexOf(':');
  const expected = digestLengths[digest.slice(0, colon)];
  return expected === undefined || digest.length - colon - 1 === expected;
}

function splitReference(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const head = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? {} : { digest: text.slice(at + 1) };
  const colon = head.indexOf(':', head.lastIndexOf('/') + 1);
  // A colon before the last slash, or inside `[::1]`, belongs to the host.
  if (colon < 0 || (head.startsWith('[') && !head.includes('/'))) return { name: head, ...digest };
  return { name: head.slice(0, colon), tag: head.slice(colon + 1), ...digest };
}

function splitHost(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const namesHost = first === 'localhost' || /[.:A-Z]/.test(first);
  return namesHost ? { registry: first, path: name.slice(slash + 1) } : { registry: 'docker.io', path: name };
}
