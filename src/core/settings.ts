import { type AnnotationKey, annotationPrefix, annotationTable } from './annotation-table.ts';
import { durationForm, parseDuration } from './duration.ts';
import type { Glob } from './glob.ts';
import { compileGlobs, type GlobsOrInvalid } from './glob-list.ts';
import { type ImageFilter, parseImageFilter } from './image-filter.ts';
import { nearest } from './nearest.ts';
import { type Policy, parsePolicy } from './policy.ts';
import type { Reason } from './reasons.ts';

/** What `headwind.sh/*` annotations say, for the workload and for each container. One parser for every kind, trigger and path. */

export type EventSource = 'webhook' | 'polling' | 'both' | 'none';

export interface SettingProblem {
  readonly reason: Extract<Reason, 'InvalidAnnotation' | 'UnknownAnnotation'>;
  readonly key: string;
  readonly message: string;
}

export interface ContainerSettings {
  readonly policy: Policy;
  readonly requireApproval: boolean;
  /** The same for a new digest of the running tag. */
  readonly requireDigestApproval: boolean;
  readonly minUpdateIntervalMs: number;
  readonly eventSource: EventSource;
  /** Own cadence; undefined means the global one. */
  readonly pollingIntervalMs: number | undefined;
  readonly allowPrerelease: boolean;
  readonly adopt: boolean;
  readonly matchTag: boolean;
  readonly strictSemver: boolean;
  readonly trackDigest: boolean;
  readonly digestMode: 'restart' | 'pin';
  /** Restart although the kubelet may not pull. */
  readonly ignorePullPolicy: boolean;
  readonly ignore: readonly Glob[];
  readonly order: 'alphabetical' | 'created' | undefined;
}

/** A container whose annotations cannot be followed is held until somebody corrects them. */
export interface HeldContainer {
  readonly held: string;
}

export interface Settings {
  /** Managed by the label `kube-autorollout/enabled`: restarts carry its marks and follow its schedule. */
  readonly autorollout: boolean;
  /** Stale pods of an `OnDelete` workload are deleted, one after the other. */
  readonly deletePods: boolean;
  /** Does the annotation `images` mean this container? */
  readonly selects: ImageFilter;
  readonly container: (name: string) => ContainerSettings | HeldContainer;
  readonly autoRollback: boolean;
  readonly rollbackTimeoutMs: number;
  readonly healthCheckRetries: number;
  readonly dryRun: boolean;
  /** What asks for the dry run. */
  readonly dryRunBy: string;
  /** Everything wrong with the annotations, each with key, value and accepted form. */
  readonly problems: readonly SettingProblem[];
}

export type Annotations = Readonly<Record<string, string>>;

const maximumShown = 100;
const maximumUnknown = 20;
/** Of a list of patterns. */
const maximumList = 4096;

export interface SettingDefaults {
  /** The workload has the label `kube-autorollout/enabled`: it follows digests without approval, whatever brought the news. */
  readonly autorollout?: boolean;
  /** The operator's own setting that makes every workload a dry run, by its name. */
  readonly dryRunBy?: string | undefined;
}

/** Reads the annotations of a workload that has these containers. Never throws; what is wrong is in `problems` and is never more permissive. */
export function readSettings(
  annotations: Annotations,
  containers: readonly string[],
  { dryRunBy, autorollout = false }: SettingDefaults = {},
): Settings {
  const reader = new Reader(annotations);
  const defaults = autorollout ? labelDefaults : annotationDefaults;
  const byContainer = new Map(containers.map((name) => [name, readContainer(reader, name, defaults)]));
  const settings = {
    autorollout,
    deletePods: reader.boolean('delete-pods'),
    selects: reader.imageFilter(),
    container: (name: string) => byContainer.get(name) ?? { held: `there is no container ${name}` },
    autoRollback: reader.exactBoolean('auto-rollback', false),
    rollbackTimeoutMs: reader.duration('rollback-timeout', 300_000, 1000) ?? 300_000,
    healthCheckRetries: reader.count('health-check-retries', 3),
    dryRun: reader.boolean('dry-run', undefined, true) || dryRunBy !== undefined,
    dryRunBy: dryRunBy ?? `${annotationPrefix}dry-run`,
  };
  reportUnknownKeys(annotations, containers, reader);
  return { ...settings, problems: reader.problems };
}

const annotationDefaults = { policy: 'none', approval: true, intervalMs: 300_000, eventSource: 'webhook', trackDigest: false } as const;
/** A policy for tags on the same object keeps its own approval: the label speaks of restarts only. */
const labelDefaults = { policy: 'digest', approval: false, intervalMs: 0, eventSource: 'both', trackDigest: true } as const;

function readContainer(
  reader: Reader,
  name: string,
  defaults: typeof annotationDefaults | typeof labelDefaults,
): ContainerSettings | HeldContainer {
  const before = reader.holds.length;
  const policyText = reader.text('policy', name) ?? defaults.policy;
  const policy = reader.policy(policyText, reader.text('pattern', name));
  if ('invalid' in policy) reader.hold('invalid' in parsePolicy(policyText) ? 'policy' : 'pattern', name, policy.invalid);
  const minUpdateIntervalMs = reader.duration('min-update-interval', defaults.intervalMs, 0, name);
  if (minUpdateIntervalMs === undefined) reader.hold('min-update-interval', name);
  const order = reader.word('order', ['alphabetical', 'created'] as const, undefined, name);
  if (order === 'invalid') reader.hold('order', name);
  const ignore = reader.globs('ignore-tags', name);
  if ('invalid' in ignore) reader.hold('ignore-tags', name, ignore.invalid);
  const eventSource = reader.word('event-source', ['webhook', 'polling', 'both', 'none'] as const, defaults.eventSource, name);
  const digestMode = reader.word('digest-mode', ['restart', 'pin'] as const, 'restart', name);
  const read = {
    requireApproval: reader.exactBoolean('require-approval', true, name),
    requireDigestApproval:
      reader.text('require-approval', name) === undefined ? defaults.approval : reader.exactBoolean('require-approval', true, name),
    eventSource: eventSource === 'invalid' ? 'none' : eventSource,
    pollingIntervalMs:
      reader.text('polling-interval', name) === undefined ? undefined : reader.duration('polling-interval', undefined, 1000, name),
    allowPrerelease: reader.boolean('allow-prerelease', name),
    adopt: reader.boolean('adopt', name),
    // Odd text reads as true, here and for dry-run: whoever writes it wants less to happen.
    matchTag: reader.boolean('match-tag', name, true),
    strictSemver: reader.boolean('strict-semver', name),
    trackDigest: reader.text('track-digest', name) === undefined ? defaults.trackDigest : reader.boolean('track-digest', name),
    ignorePullPolicy: reader.boolean('ignore-pull-policy', name),
    digestMode: digestMode === 'invalid' ? 'restart' : digestMode,
  } as const;
  const held = reader.holds[before];
  if (held !== undefined) return { held };
  if ('invalid' in policy || 'invalid' in ignore || minUpdateIntervalMs === undefined || order === 'invalid') return { held: 'invalid' };
  return { ...read, policy, minUpdateIntervalMs, order, ignore: ignore.globs };
}

/** Reads single values and collects what is wrong with them. */
class Reader {
  readonly problems: SettingProblem[] = [];
  readonly holds: string[] = [];
  readonly #annotations: Annotations;
  readonly #reported = new Set<string>();
  // What all containers share is compiled once.
  readonly #policies = new Map<string, ReturnType<typeof parsePolicy>>();
  readonly #globs = new Map<string, GlobsOrInvalid>();

  constructor(annotations: Annotations) {
    this.#annotations = annotations;
  }

  /** The trimmed value; that of the container, where it has one of its own, wins. */
  text(key: AnnotationKey, container?: string): string | undefined {
    return this.#annotations[this.#fullKey(key, container)]?.trim();
  }

  #fullKey(key: AnnotationKey, container?: string): string {
    const own = `${annotationPrefix}${key}.${container}`;
    return container !== undefined && own in this.#annotations ? own : annotationPrefix + key;
  }

  invalid(key: AnnotationKey, container?: string, detail?: string): string {
    const fullKey = this.#fullKey(key, container);
    const message = `${fullKey} is ${shown(this.#annotations[fullKey] ?? '')}: ${detail ?? `it must be ${annotationTable[key].accepts}`}`;
    if (!this.#reported.has(fullKey)) this.problems.push({ reason: 'InvalidAnnotation', key: fullKey, message });
    this.#reported.add(fullKey);
    return message;
  }

  hold(key: AnnotationKey, container?: string, detail?: string): void {
    this.holds.push(this.invalid(key, container, detail));
  }

  word<T extends string, D>(key: AnnotationKey, words: readonly T[], fallback: D, container?: string): T | D | 'invalid' {
    const text = this.text(key, container);
    if (text === undefined) return fallback;
    const word = words.find((candidate) => candidate === text.toLowerCase());
    if (word === undefined) this.invalid(key, container);
    return word ?? 'invalid';
  }

  boolean(key: AnnotationKey, container?: string, odd = false): boolean {
    const word = this.word(key, ['true', 'false'] as const, 'false', container);
    return word === 'invalid' ? odd : word === 'true';
  }

  /** Only the exact text counts; anything else is the default, and a problem. */
  exactBoolean(key: AnnotationKey, fallback: boolean, container?: string): boolean {
    const text = this.text(key, container);
    if (text === undefined) return fallback;
    if (text !== 'true' && text !== 'false') this.invalid(key, container);
    return text === String(!fallback) ? !fallback : fallback;
  }

  duration<D>(key: AnnotationKey, fallback: D, leastMs: number, container?: string): number | D | undefined {
    const text = this.text(key, container);
    if (text === undefined) return fallback;
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= leastMs) return ms;
    this.invalid(key, container, `it must be ${durationForm}${leastMs > 0 ? ', at least 1 s' : ''}`);
    return undefined;
  }

  count(key: AnnotationKey, fallback: number): number {
    const text = this.text(key);
    if (text === undefined) return fallback;
    if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
    this.invalid(key);
    return fallback;
  }

  /** A list that nobody can have meant means no container. */
  imageFilter(): ImageFilter {
    const text = this.text('images') ?? '';
    if (text.length <= maximumList) return parseImageFilter(text);
    this.invalid('images', undefined, tooLong);
    return () => false;
  }

  policy(text: string, pattern: string | undefined): ReturnType<typeof parsePolicy> {
    const key = JSON.stringify([text, pattern]);
    const policy = this.#policies.get(key) ?? parsePolicy(text, pattern);
    this.#policies.set(key, policy);
    return policy;
  }

  globs(key: AnnotationKey, container: string): GlobsOrInvalid {
    const text = this.text(key, container) ?? '';
    const globs = this.#globs.get(text) ?? (text.length > maximumList ? { invalid: tooLong } : compileGlobs(text));
    this.#globs.set(text, globs);
    return globs;
  }
}

const tooLong = `it is longer than ${maximumList} characters`;

/** A value as it stands in messages; annotations may be 256 KiB long. */
function shown(value: string): string {
  return JSON.stringify(value.length > maximumShown ? `${value.slice(0, maximumShown)}…` : value);
}

function reportUnknownKeys(annotations: Annotations, containers: readonly string[], reader: Reader): void {
  let unknown = 0;
  for (const fullKey of Object.keys(annotations)) {
    if (!fullKey.startsWith(annotationPrefix)) continue;
    const name = fullKey.slice(annotationPrefix.length);
    const dot = name.indexOf('.');
    const key = dot < 0 ? name : name.slice(0, dot);
    const message = unknownKey(fullKey, key, dot < 0 ? undefined : name.slice(dot + 1), containers);
    if (message === undefined) continue;
    if (++unknown > maximumUnknown) {
      const more = `there are more annotations below ${annotationPrefix} that are not known, ${fullKey} for one`;
      reader.problems.push({ reason: 'UnknownAnnotation', key: fullKey, message: more });
      return;
    }
    reader.problems.push({ reason: 'UnknownAnnotation', key: fullKey, message });
  }
}

function unknownKey(fullKey: string, key: string, container: string | undefined, containers: readonly string[]): string | undefined {
  if (!isAnnotationKey(key)) {
    const known = nearest(key, Object.keys(annotationTable));
    return `${fullKey} is not known${known === undefined ? '' : `; did you mean ${annotationPrefix}${known}?`}`;
  }
  if (container === undefined) return undefined;
  if (!annotationTable[key].perContainer)
    return `${fullKey}: ${annotationPrefix}${key} holds for the whole workload, not for one container`;
  if (containers.includes(container)) return undefined;
  const known = nearest(container, containers) ?? containers.join(', ');
  return `${fullKey} names the container ${container}, which does not exist; did you mean ${known}?`;
}

function isAnnotationKey(key: string): key is AnnotationKey {
  return Object.hasOwn(annotationTable, key);
}
