import type { KubeObject } from './kube-client.ts';
import type { ImageIdForm, Pull, PulledImage } from './image-lookup.ts';

/** All that the status of a pod follows from. */
export interface PodFacts {
  readonly pod: KubeObject;
  /** By image, as the spec names it. */
  readonly pulls: ReadonlyMap<string, Pull>;
  /** How the node's runtime writes `imageID`. */
  readonly imageIds: ImageIdForm;
  readonly restarts: number;
  /** Since all its images were there. */
  readonly runningForMs: number;
  readonly podIp: string;
  readonly now: string;
}

export interface PodAnswer {
  readonly status: Record<string, any>;
  /** When to look at it again; undefined: never, unless it changes. */
  readonly againInMs: number | undefined;
  /** The next look counts as another restart. */
  readonly restarting: boolean;
}

type Outcome = 'missing' | 'pulling' | 'crash' | 'waiting' | 'running' | 'ready' | 'completed' | 'failed';

const restartEveryMs = 1_500;
const jobTakesMs = 300;

/** What a kubelet would report. A label of the image decides how it behaves: `testbed.behaviour`, `testbed.ready-delay-ms`. */
export function podStatus(facts: PodFacts): PodAnswer {
  const { pod, podIp, now } = facts;
  const init = initOutcomes(facts);
  const isInitialized = init.every((outcome) => outcome === 'completed' || outcome === 'ready');
  const main = containersOf(pod).map((container) => (isInitialized ? mainOutcome(container, facts) : 'waiting'));
  const phase = phaseOf(isInitialized, main);
  const isReady = main.every((outcome) => outcome === 'ready');
  const statuses = (containers: readonly any[], outcomes: readonly Outcome[]) =>
    containers.map((container, index) => containerStatus(container, outcomes[index] ?? 'waiting', facts));
  const all = [...init, ...main];
  return {
    status: {
      phase,
      hostIP: '127.0.0.1',
      podIP: podIp,
      podIPs: [{ ip: podIp }],
      startTime: pod['status']?.startTime ?? now,
      conditions: conditionsOf(facts, { Initialized: isInitialized, Ready: isReady, ContainersReady: isReady }),
      initContainerStatuses: statuses(initContainersOf(pod), init),
      containerStatuses: statuses(containersOf(pod), main),
    },
    againInMs: nextLook(all, facts),
    restarting: all.includes('crash'),
  };
}

export function imagesOf(pod: KubeObject): string[] {
  return [...new Set([...initContainersOf(pod), ...containersOf(pod)].map(({ image }) => String(image)))];
}

/** `Always`, if any container that has this image says so. */
export function pullPolicyOf(pod: KubeObject, image: string): string {
  const policies = [...initContainersOf(pod), ...containersOf(pod)].filter((container) => container.image === image);
  return policies.some(({ imagePullPolicy }) => imagePullPolicy === 'Always') ? 'Always' : 'IfNotPresent';
}

function containersOf(pod: KubeObject): readonly any[] {
  return pod['spec'].containers;
}

function initContainersOf(pod: KubeObject): readonly any[] {
  return pod['spec'].initContainers ?? [];
}

function isJobPod({ metadata }: KubeObject): boolean {
  return metadata['ownerReferences']?.some(({ kind }: any) => kind === 'Job') === true;
}

/** They run one after the other: what comes behind one that is not done waits. */
function initOutcomes({ pod, pulls }: PodFacts): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const { image, restartPolicy } of initContainersOf(pod)) {
    const isBlocked = outcomes.some((outcome) => outcome !== 'completed' && outcome !== 'ready');
    const pulled = pulledOf(pulls, image);
    const done = restartPolicy === 'Always' ? 'ready' : 'completed';
    if (isBlocked) outcomes.push('waiting');
    else if (!pulled) outcomes.push(outcomeWithout(pulls.get(image)));
    else outcomes.push(behaviourOf(pulled) === 'crash' ? 'crash' : done);
  }
  return outcomes;
}

function mainOutcome({ image }: { image: string }, { pod, pulls, runningForMs }: PodFacts): Outcome {
  const pulled = pulledOf(pulls, image);
  if (!pulled) return outcomeWithout(pulls.get(image));
  const behaviour = behaviourOf(pulled);
  if (behaviour === 'crash') return pod['spec'].restartPolicy === 'Never' ? 'failed' : 'crash';
  if (behaviour === 'never-ready' || runningForMs < readyDelayOf(pulled)) return 'running';
  return isJobPod(pod) && runningForMs >= jobTakesMs ? 'completed' : 'ready';
}

function pulledOf(pulls: ReadonlyMap<string, Pull>, image: string): PulledImage | undefined {
  const pull = pulls.get(image);
  return pull && 'ids' in pull ? pull : undefined;
}

function outcomeWithout(pull: Pull | undefined): 'missing' | 'pulling' {
  return pull && 'isSlow' in pull ? 'pulling' : 'missing';
}

function behaviourOf({ labels }: PulledImage): string | undefined {
  return labels['testbed.behaviour'];
}

function readyDelayOf({ labels }: PulledImage): number {
  return Number(labels['testbed.ready-delay-ms'] ?? 0);
}

function phaseOf(isInitialized: boolean, main: readonly Outcome[]): string {
  if (main.every((outcome) => outcome === 'completed')) return 'Succeeded';
  if (main.includes('failed')) return 'Failed';
  return isInitialized && !main.includes('missing') && !main.includes('pulling') ? 'Running' : 'Pending';
}

function nextLook(outcomes: readonly Outcome[], { pod, pulls, runningForMs }: PodFacts): number | undefined {
  if (outcomes.includes('crash')) return restartEveryMs;
  const delays = containersOf(pod).map(({ image }) => {
    const pulled = pulledOf(pulls, image);
    if (!pulled || behaviourOf(pulled) !== undefined) return 0;
    return Math.max(readyDelayOf(pulled), isJobPod(pod) ? jobTakesMs : 0) - runningForMs;
  });
  const next = Math.max(0, ...delays);
  return next > 0 ? next : undefined;
}

function containerStatus({ name, image }: any, outcome: Outcome, { pulls, imageIds, restarts, now }: PodFacts): object {
  const pull = pulls.get(image);
  const pulled = pulledOf(pulls, image);
  const isUp = outcome === 'running' || outcome === 'ready';
  const base = {
    name,
    image,
    imageID: outcome === 'waiting' ? '' : (pulled?.ids[imageIds] ?? ''),
    restartCount: outcome === 'crash' ? restarts : 0,
    started: isUp,
    ready: outcome === 'ready' || outcome === 'completed',
  };
  const ended = (exitCode: number, reason: string) => ({ terminated: { exitCode, reason, startedAt: now, finishedAt: now } });
  switch (outcome) {
    case 'missing':
      return { ...base, state: { waiting: { reason: 'ImagePullBackOff', message: pull && 'failure' in pull ? pull.failure : '' } } };
    case 'pulling':
      return { ...base, state: { waiting: { reason: 'ContainerCreating' } } };
    case 'waiting':
      return { ...base, state: { waiting: { reason: 'PodInitializing' } } };
    case 'crash':
      return {
        ...base,
        state: { waiting: { reason: 'CrashLoopBackOff', message: `back-off restarting failed container ${name}` } },
        lastState: ended(1, 'Error'),
      };
    case 'completed':
      return { ...base, ready: false, state: ended(0, 'Completed') };
    case 'failed':
      return { ...base, state: ended(1, 'Error') };
    default:
      return { ...base, state: { running: { startedAt: now } } };
  }
}

function conditionsOf({ pod, now }: PodFacts, wanted: Readonly<Record<string, boolean>>): object[] {
  const before: readonly any[] = pod['status']?.conditions ?? [];
  return Object.entries(wanted).map(([type, isTrue]) => {
    const status = isTrue ? 'True' : 'False';
    const same = before.find((condition) => condition.type === type && condition.status === status);
    const reason = isTrue ? null : 'ContainersNotReady';
    return { type, status, reason, lastTransitionTime: same?.lastTransitionTime ?? now };
  });
}
