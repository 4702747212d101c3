/** Do the pods run what the registry has? Decided from what both sides say, without asking anybody. */

export interface ComparedPlatform {
  readonly os: string;
  readonly architecture: string;
}

/** What one digest stands for; undefined members are not known. */
export interface ComparedContents {
  readonly kind: 'index' | 'image' | 'other';
  readonly images: readonly {
    readonly digest: string;
    readonly os: string | undefined;
    readonly architecture: string | undefined;
  }[];
  readonly config: string | undefined;
}

/** One pod's container. */
export interface Running {
  /** As its pod's spec has it. */
  readonly image: string;
  /** Undefined while it starts. */
  readonly digest: string | undefined;
  /** The digest is that of an image configuration: the registry knows it only from inside a manifest. */
  readonly isConfig: boolean;
  readonly platform: ComparedPlatform | undefined;
}

export interface DigestComparisonInput {
  /** The digest behind the running tag. */
  readonly offered: string;
  /** Of the offered digest and of running ones; `gone` when the registry no longer has it. */
  readonly contents: ReadonlyMap<string, ComparedContents | 'gone'>;
  /** The container in all live pods of the current revision. */
  readonly running: readonly Running[];
  /** `index`: every digest that is not in the set of the tag is another one, whatever it contains. */
  readonly compare: 'platform' | 'index';
  /** The rollout has failed: a container that never started may be helped by another digest. */
  readonly stalled: boolean;
}

/** `platform-missing`: the new index lacks a platform in use. `unknown`: a runtime reports nothing that can be compared. */
export type DigestOutcome = 'same' | 'changed' | 'platform-missing' | 'no-pods' | 'starting' | 'unknown';

export interface DigestComparison {
  readonly outcome: DigestOutcome;
  /** The digest that runs, where all containers, or all stale ones, agree on one. */
  readonly running: string | undefined;
  /** Platforms that the new index lacks, `linux/arm64`. */
  readonly missing: readonly string[];
}

/** Every live pod counts: one that is behind makes the container stale. Total, pure. */
export function compareDigests(input: DigestComparisonInput): DigestComparison {
  const { running, stalled } = input;
  if (running.length === 0) return plain('no-pods');
  const verdicts = running.map((container) => ({ container, verdict: verdictOn(container, input) }));
  const stale = verdicts.filter(({ verdict }) => verdict === 'changed' || isMissing(verdict));
  if (stale.length > 0) {
    const missing = [...new Set(stale.flatMap(({ verdict }) => (isMissing(verdict) ? [verdict.missing] : [])))];
    const behind = stale.map(({ container }) => container);
    return { outcome: missing.length > 0 ? 'platform-missing' : 'changed', running: commonDigest(behind), missing };
  }
  if (verdicts.some(({ verdict }) => verdict === 'starting')) return plain(stalled ? 'changed' : 'starting');
  if (verdicts.some(({ verdict }) => verdict === 'unknown')) return plain('unknown');
  return { outcome: 'same', running: commonDigest(running), missing: [] };
}

function commonDigest(running: readonly Running[]): string | undefined {
  const digests = new Set(running.map(({ digest }) => digest));
  const [only] = digests;
  return digests.size === 1 ? only : undefined;
}

function plain(outcome: DigestOutcome): DigestComparison {
  return { outcome, running: undefined, missing: [] };
}

type Verdict = 'same' | 'changed' | 'starting' | 'unknown' | { readonly missing: string };

function isMissing(verdict: Verdict): verdict is { readonly missing: string } {
  return typeof verdict === 'object';
}

function verdictOn(container: Running, input: DigestComparisonInput): Verdict {
  const { offered, contents, compare } = input;
  const { digest, platform, isConfig } = container;
  if (digest === undefined) return 'starting';
  if (digest === offered) return 'same';
  const target = contents.get(offered);
  if (target === undefined || target === 'gone') return 'changed';
  if (target.images.some((image) => image.digest === digest)) return 'same';
  if (isConfig) return verdictOnConfig(digest, platform, target, input);
  if (compare === 'index') return 'changed';
  if (target.kind === 'other') return 'changed';
  const wanted = target.kind === 'image' ? [offered] : imagesFor(target, platform);
  if (platform !== undefined && wanted.length === 0) return { missing: `${platform.os}/${platform.architecture}` };
  const source = contents.get(digest);
  if (source === undefined || source === 'gone' || source.kind !== 'index') return 'changed';
  const before = imagesFor(source, platform);
  return isSameSet(before, wanted) ? 'same' : 'changed';
}

/** A runtime that reports the configuration of the image: only the manifests of the offered tag can tell whether it is theirs. */
function verdictOnConfig(
  digest: string,
  platform: ComparedPlatform | undefined,
  target: ComparedContents,
  { contents }: DigestComparisonInput,
): Verdict {
  if (target.config === digest) return 'same';
  const children = target.kind === 'index' ? imagesFor(target, platform) : [];
  const configs = children.map((child) => configOf(contents.get(child)));
  if (configs.includes(digest)) return 'same';
  const isComplete = target.kind === 'image' ? target.config !== undefined : configs.every((config) => config !== undefined);
  return isComplete ? 'changed' : 'unknown';
}

function configOf(contents: ComparedContents | 'gone' | undefined): string | undefined {
  return contents === undefined || contents === 'gone' ? undefined : contents.config;
}

/** The images that a node of that platform may pull; of an unknown one, all. Variants of one architecture count together. */
export function imagesFor({ images }: ComparedContents, platform: ComparedPlatform | undefined): string[] {
  const fitting = images.filter(({ os, architecture }) => {
    if (platform === undefined) return true;
    return (os ?? platform.os) === platform.os && (architecture ?? platform.architecture) === platform.architecture;
  });
  return fitting.map(({ digest }) => digest);
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((digest) => b.includes(digest));
}
