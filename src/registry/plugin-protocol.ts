import type { RepositoryRef } from '../ports.ts';
import type { DockerConfigEntry } from './docker-config.ts';
import { isJsonObject, parseJsonObject } from './json.ts';

/** What the kubelet would send to the program (`credentialprovider.kubelet.k8s.io/v1`). */
export interface PluginRequest {
  readonly image: string;
  readonly serviceAccountToken?: string | undefined;
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>> | undefined;
}

export interface PluginAnswer {
  readonly entries: readonly DockerConfigEntry[];
  readonly cacheKeyType: 'Image' | 'Registry' | 'Global';
  /** Undefined: as configured. */
  readonly cacheMs: number | undefined;
}

const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The text for the program's standard input. */
export function formatPluginRequest(request: PluginRequest): string {
  return JSON.stringify({ apiVersion, kind: 'CredentialProviderRequest', ...request });
}

/** Reads the program's answer; a sentence without its content where it is not one. */
export function readPluginAnswer(output: Buffer): PluginAnswer | { readonly invalid: string } {
  const answer = parseJsonObject(output);
  if (!answer) return { invalid: 'its output is not a JSON object' };
  if (answer['apiVersion'] !== apiVersion || answer['kind'] !== 'CredentialProviderResponse') {
    return { invalid: `its output is not a CredentialProviderResponse of ${apiVersion}` };
  }
  const cacheKeyType = (['Image', 'Registry', 'Global'] as const).find((type) => type === answer['cacheKeyType']);
  if (!cacheKeyType) return { invalid: 'its "cacheKeyType" is none of Image, Registry, Global' };
  const cacheMs = durationOf(answer['cacheDuration']);
  if (cacheMs === 'invalid') return { invalid: 'its "cacheDuration" is not a duration' };
  const auth = answer['auth'] ?? {};
  if (!isJsonObject(auth)) return { invalid: 'its "auth" is not an object' };
  return { entries: Object.entries(auth).flatMap(([key, value]) => entryOf(key, value)), cacheKeyType, cacheMs };
}

function entryOf(key: string, value: unknown): DockerConfigEntry[] {
  if (!isJsonObject(value)) return [];
  const { username, password } = value;
  if (typeof username !== 'string' || typeof password !== 'string') return [];
  return [{ key, contents: [{ kind: 'basic', username, password }] }];
}

/** Go's form: `6h`, `1h30m`, `1.5h`, `0`. */
function durationOf(value: unknown): number | undefined | 'invalid' {
  if (value === undefined || value === null) return undefined;
  if (value === '0') return 0;
  if (typeof value !== 'string' || !/^(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h)){1,7}$/.test(value)) return 'invalid';
  const parts = [...value.matchAll(/([\d.]+)([a-zµ]+)/g)];
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitMs[unit] ?? 0), 0);
}

/** `registry/repository`, as the kubelet names an image to programs: without tag and digest. */
export function imageOf({ registry, repository }: RepositoryRef): string {
  return `${registry}/${repository}`;
}
