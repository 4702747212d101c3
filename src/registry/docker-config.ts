import type { PullSecret } from '../ports.ts';
import type { PlainContent } from './registry-secret.ts';

/** The credentials of one entry in a pull secret, under the key the user wrote. */
export interface DockerConfigEntry {
  readonly key: string;
  readonly contents: readonly PlainContent[];
}

export interface DockerConfig {
  readonly entries: readonly DockerConfigEntry[];
  /** Sentences about what could not be used. They quote names, never values. */
  readonly problems: readonly string[];
}

/** Far more than anybody has registries. */
const mostEntries = 500;

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the docker configuration of a pull secret. Total: what is malformed becomes a problem and the rest counts. */
export function readDockerConfig(secret: PullSecret): DockerConfig {
  switch (secret.type) {
    case 'kubernetes.io/dockerconfigjson':
      return readKey(secret, false);
    case 'kubernetes.io/dockercfg':
      return readKey(secret, true);
    case 'kubernetes.io/basic-auth':
    case 'Opaque':
      return readBasicAuth(secret);
    default:
      return problem(`${nameOf(secret)} has the type "${secret.type}", which holds no registry credentials`);
  }
}

/** `Secret team/regcred`: how a secret is called in every sentence. */
export function nameOf(secret: { namespace: string; name: string }): string {
  return `Secret ${secret.namespace}/${secret.name}`;
}

function readKey(secret: PullSecret, isLegacy: boolean): DockerConfig {
  const key = isLegacy ? '.dockercfg' : '.dockerconfigjson';
  const text = secret.data[key];
  return text === undefined ? problem(`${nameOf(secret)} has no key "${key}"`) : readDockerConfigText(nameOf(secret), text, isLegacy);
}

/** Reads the text of a `.dockerconfigjson`, or of the older `.dockercfg`, which begins with the entries. `source` begins every sentence. */
export function readDockerConfigText(source: string, text: string, isLegacy: boolean): DockerConfig {
  const config = parseObject(text);
  const key = isLegacy ? '.dockercfg' : '.dockerconfigjson';
  if (!config) return problem(`${source}: the value of "${key}" is not a JSON object`);
  const map = isLegacy ? config : (config['auths'] ?? {});
  if (!isObject(map)) return problem(`${source}: "auths" in "${key}" is not an object`);
  const problems: string[] = [];
  if (!isLegacy && (hasMembers(config['credHelpers']) || config['credsStore'])) {
    problems.push(`${source} names credential helpers (credsStore, credHelpers), which are ignored`);
  }
  return readEntries(source, Object.entries(map), problems);
}

function readEntries(source: string, all: readonly (readonly [string, unknown])[], problems: string[]): DockerConfig {
  const entries: DockerConfigEntry[] = [];
  if (all.length > mostEntries) problems.push(`${source} has ${all.length} entries; only the first ${mostEntries} are read`);
  for (const [host, value] of all.slice(0, mostEntries)) {
    const contents = isObject(value) ? readEntry(value) : 'the entry is not an object';
    if (typeof contents === 'string') problems.push(`${source}: the entry for "${printable(host)}" is ignored: ${contents}`);
    else entries.push({ key: host, contents });
  }
  return { entries, problems };
}

/** A user and password without a host count only where the user named the registry. */
function readBasicAuth(secret: PullSecret): DockerConfig {
  const { username, password } = secret.data;
  if (secret.registry === undefined) {
    return problem(`${nameOf(secret)} has the type "${secret.type}", which does not say for which registry it is`);
  }
  if (username === undefined || password === undefined) {
    return problem(`${nameOf(secret)} needs the keys "username" and "password"`);
  }
  return { entries: [{ key: secret.registry, contents: [{ kind: 'basic', username, password }] }], problems: [] };
}

/** Credentials in the order in which to try them; the kubelet knows only the first kind. */
function readEntry(entry: JsonObject): readonly PlainContent[] | string {
  const basic = readBasic(entry);
  if (typeof basic === 'string') return basic;
  const contents: PlainContent[] = [];
  const identity = textOf(entry['identitytoken']);
  if (basic && (basic.password !== '' || identity === '')) contents.push(asIdentity(basic));
  if (identity !== '') contents.push({ kind: 'identity', token: identity });
  const bearer = textOf(entry['registrytoken']).trim();
  if (!/^[\x21-\x7e]*$/.test(bearer)) return '"registrytoken" holds characters that a header cannot';
  if (bearer !== '') contents.push({ kind: 'bearer', token: bearer });
  return contents.length > 0 ? contents : 'it has neither "auth" nor "username" nor a token';
}

type Basic = Extract<PlainContent, { kind: 'basic' }>;

function readBasic(entry: JsonObject): Basic | undefined | string {
  const auth = textOf(entry['auth']).replaceAll(/\s/g, '');
  if (auth !== '') {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(auth)) return '"auth" is not base64';
    const text = Buffer.from(auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0) return '"auth" holds no ":" between user and password';
    return { kind: 'basic', username: text.slice(0, colon), password: withoutPadding(text.slice(colon + 1)) };
  }
  const [username, password] = [textOf(entry['username']), textOf(entry['password'])];
  return username === '' && password === '' ? undefined : { kind: 'basic', username, password };
}

/** Some tools pad the password with NUL. Not by a pattern: of a long padding before the end it would try every beginning. */
function withoutPadding(password: string): string {
  let end = password.length;
  while (end > 0 && '\0\r\n'.includes(password.charAt(end - 1))) end--;
  return password.slice(0, end);
}

/** Docker writes `<token>` as the user of an identity token. */
function asIdentity(basic: Basic): PlainContent {
  return basic.username === '<token>' ? { kind: 'identity', token: basic.password } : basic;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // The parser's message quotes the text, which is secret.
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasMembers(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The key of an entry may hold user and password before `@`. */
function printable(key: string): string {
  return key.replace(/^(https?:\/\/)?.*@/s, '$1').slice(0, 200);
}

function problem(sentence: string): DockerConfig {
  return { entries: [], problems: [sentence] };
}
