import { type ComparedContents, compareDigests, type DigestComparison, imagesFor } from '../core/compare-digests.ts';
import { effectiveTag, type ImageReference, parseImageReference } from '../core/image-reference.ts';
import { rolloutMark } from '../core/plan-digest.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { ApiError, RegistryError } from '../errors.ts';
import type { RunningContainer, RunningPod } from '../ports.ts';
import type { OperatorDeps } from './deps.ts';
import { isNotFound } from './repository-access.ts';

export interface PodQuestion {
  readonly workload: Workload;
  readonly container: string;
  readonly reference: ImageReference;
  /** The digest that they should run. */
  readonly offered: string;
  /** The rollout will not get further by itself. */
  readonly stalled: boolean;
}

export type ComparisonDeps = Pick<OperatorDeps, 'pods' | 'access' | 'log' | 'autorollout'>;

export type PodComparison = ComparedPods | { readonly unobservable: string };

export interface ComparedPods extends DigestComparison {
  /** Pods whose container runs something else. */
  readonly stale: readonly RunningPod[];
  readonly areReady: boolean;
}

/** More distinct digests than one container can run without something being very wrong. */
const mostDigests = 10;

/**
 * Reads the pods of a workload and compares what they run with what the registry has. What a digest stands for is asked of the registry
 * only where the digests differ. Throws RegistryError when it does not answer.
 */
export async function comparePods(question: PodQuestion, deps: ComparisonDeps, signal: AbortSignal): Promise<PodComparison> {
  const { workload, container, offered, stalled } = question;
  let pods: readonly RunningPod[];
  try {
    pods = await deps.pods.of(workload, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    return { unobservable: `the pods cannot be read: ${error.message}` };
  }
  const [current] = pods.filter(({ isCurrentRevision }) => isCurrentRevision);
  if (current) deps.access.podsList(workload, current.pullSecretNames ?? workload.pullSecretNames);
  const running = runningContainers(pods, container);
  for (const { pod, image, digest } of running) {
    deps.log.debug({ pod: pod.name, container, image, current_digest: digest }, 'Found container with image and current digest');
  }
  const contents = await readContents(question, running, deps, signal);
  const compare = deps.autorollout().compare;
  const compareSome = (some: readonly Found[]): DigestComparison => compareDigests({ offered, contents, running: some, stalled, compare });
  const stale = running.filter((one) => compareSome([one]).outcome === 'changed').map(({ pod }) => pod);
  return { ...compareSome(running), stale, areReady: running.every(({ pod }) => pod.isReady) };
}

interface Found extends RunningContainer {
  readonly pod: RunningPod;
  readonly platform: RunningPod['platform'];
}

function runningContainers(pods: readonly RunningPod[], container: string): Found[] {
  return pods
    .filter(({ isCurrentRevision }) => isCurrentRevision)
    .flatMap((pod) => {
      const found = pod.containers.find((candidate) => candidate.container === container);
      return found ? [{ ...found, pod, platform: pod.platform }] : [];
    });
}

async function readContents(
  { workload, reference, offered }: PodQuestion,
  running: readonly Found[],
  { access }: ComparisonDeps,
  signal: AbortSignal,
): Promise<Map<string, ComparedContents | 'gone'>> {
  const contents = new Map<string, ComparedContents | 'gone'>();
  const read = async (digest: string): Promise<ComparedContents | 'gone'> => {
    const known = contents.get(digest);
    if (known) return known;
    const found = await access.contents(workload, reference, digest, signal).catch((error: unknown) => {
      if (isNotFound(error) && digest !== offered) return 'gone' as const;
      throw error;
    });
    contents.set(digest, found);
    return found;
  };
  const others = running.filter(({ digest }) => digest !== undefined && digest !== offered);
  if (others.length === 0) return contents;
  const target = await read(offered);
  for (const { digest, isConfig, platform } of others.slice(0, mostDigests)) {
    if (digest === undefined || target === 'gone' || target.images.some((image) => image.digest === digest)) continue;
    if (!isConfig) await read(digest);
    else if (target.kind === 'index') for (const child of imagesFor(target, platform).slice(0, mostDigests)) await read(child);
  }
  return contents;
}

/** The next plan is to know that what was applied is not what runs. */
function noteMoved(workload: Workload, container: string, image: string, offered: string, result: ComparedPods, deps: OperatorDeps): void {
  const { notes, clock } = deps;
  const seen = { tip: offered, offered, at: clock.now(), image, rollout: rolloutMark(workload), againAtMs: undefined, tries: 0 };
  const looks = notes.compared(workloadKey(workload), container)?.looks;
  const { outcome, running, missing } = result;
  notes.setCompared(workloadKey(workload), container, { ...seen, looks, result: { outcome, running, missing } });
}

/** Each pod runs one of the two: the tag moved on between their pulls. */
function isBetween(found: ComparedPods, moved: ComparedPods): boolean {
  const later = new Set(moved.stale.map(({ uid }) => uid));
  return moved.outcome === 'changed' && found.stale.every(({ uid }) => !later.has(uid));
}

/** Do the pods run what a request put there? A tag that moved on before all or some of them pulled is fine, too. */
export async function compareOutcome(
  workload: Workload,
  container: string,
  image: string,
  wanted: string,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<PodComparison> {
  const reference = parseImageReference(image);
  if ('invalid' in reference) return { unobservable: reference.invalid };
  try {
    const found = await comparePods({ workload, container, reference, offered: wanted, stalled: false }, deps, signal);
    if (!('outcome' in found) || found.outcome !== 'changed' || reference.digest !== undefined) return found;
    const offered = await deps.access.digest(workload, reference, effectiveTag(reference) ?? '', signal, { maxAgeMs: 0 });
    if (offered === wanted) return found;
    const moved = await comparePods({ workload, container, reference, offered, stalled: false }, deps, signal);
    if (!('outcome' in moved)) return moved;
    if (isBetween(found, moved)) return { ...found, outcome: 'same', stale: [] };
    if (moved.outcome === 'same') noteMoved(workload, container, image, offered, moved, deps);
    return moved;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { unobservable: error.message };
  }
}
