import { type Slot, type Workload, type WorkloadKind, workloadKindNames } from '../../src/core/workload.ts';
import { aWorkload } from '../builders.ts';
import { duration, list, mapping, type Mapping, members, text, type Value } from './scenario-file.ts';
import { readImage, World } from './world.ts';

const day = 86_400_000;

/** Builds the world that a scenario begins with; its operator has not started yet. */
export function readGiven(given: Mapping): World {
  const where = 'given';
  const names = [
    'now',
    'polling',
    'verify',
    'expiry',
    'retention',
    'keep',
    'latency',
    'registry-latency',
    'rollouts',
    'pods',
    'secrets',
    'registry',
    'protected',
    'workloads',
  ] as const;
  const found = members(given, where, names);
  const optional = (name: 'expiry' | 'retention' | 'latency', fallback: number) =>
    found[name] === undefined ? fallback : duration(found[name], `${where}.${name}`);
  const world = new World({
    start: text(found.now ?? '2026-01-15T10:00:00Z', 'now'),
    verify: readVerify(text(found.verify ?? 'prefer', 'verify')),
    pollingIntervalMs: found.polling === undefined ? undefined : duration(found.polling, 'polling'),
    expiryMs: optional('expiry', day),
    retentionMs: optional('retention', 7 * day),
    keepPerContainer: Number(text(found.keep ?? '10', 'keep')),
    apiLatencyMs: optional('latency', 0),
    pods: Number(text(found.pods ?? '0', 'pods')),
    rolloutMs: found.rollouts === 'manual' ? undefined : duration(found.rollouts ?? '10s', 'rollouts'),
  });
  if (found['registry-latency'] !== undefined) world.registry.latencyMs = duration(found['registry-latency'], 'registry-latency');
  for (const [name, password] of Object.entries(mapping(found.secrets, 'secrets'))) world.secrets.set(name, text(password, name));
  for (const [name, tags] of Object.entries(mapping(found.registry, 'registry'))) {
    for (const tag of list(tags)) world.registry.push(readImage(name).repository, text(tag, name));
  }
  for (const [name, password] of Object.entries(mapping(found.protected, 'protected'))) {
    world.registry.protect(readImage(name).repository, text(password, name));
  }
  const workloads = found.workloads === undefined ? { web: '' } : mapping(found.workloads, 'workloads');
  for (const [name, workload] of Object.entries(workloads)) world.cluster.workloads.put(readWorkload(name, workload));
  world.makePods();
  return world;
}

function readVerify(word: string): 'prefer' | 'require' | 'off' {
  if (word !== 'prefer' && word !== 'require' && word !== 'off') throw new Error(`verify: ${word}`);
  return word;
}

/** A workload as it stands in a scenario: by default a Deployment of nginx 1.25 under policy `minor`, rolled out. */
export function readWorkload(path: string, value: Value): Workload {
  const names = ['kind', 'annotations', 'containers', 'init', 'secrets', 'paused', 'uid', 'settled', 'label', 'pull', 'is'] as const;
  const found = members(value, path, names);
  const [name = '', namespace = 'shop'] = path.split('/').toReversed();
  const kind = text(found.kind ?? 'Deployment', 'kind');
  const containers = mapping(found.containers ?? { [name]: 'nginx:1.25' }, 'containers');
  return aWorkload({
    kind: readKind(kind),
    apiVersion: kind === 'CronJob' ? 'batch/v1' : 'apps/v1',
    namespace,
    name,
    uid: text(found.uid ?? `uid-${namespace}-${name}`, 'uid'),
    annotations: annotationsWith(
      found.label === 'true' ? {} : { 'headwind.sh/policy': 'minor' },
      mapping(found.annotations, 'annotations'),
    ),
    autorollout: found.label === 'true',
    slots: [...slotsOf(containers, false), ...slotsOf(mapping(found.init, 'init'), true)].map((slot) => ({
      ...slot,
      ...(found.pull !== undefined && { pullPolicy: text(found.pull, 'pull') }),
    })),
    pullSecretNames: list(found.secrets).map((secret) => text(secret, 'secrets')),
    paused: found.paused === 'true',
    ...(found.settled === 'false' && { rollout: { settled: false, healthy: false, message: '1 of 2 pods are updated' } }),
    ...states[text(found.is ?? 'as usual', 'is')],
  });
}

/** What a workload may be besides: `is: OnDelete`. */
const states: Readonly<Record<string, Partial<Workload>>> = {
  'as usual': {},
  empty: { wantsNoPods: true },
  partitioned: { partitioned: true },
  OnDelete: { rollout: { settled: true, healthy: true, message: 'a pod changes when somebody deletes it', unwatched: 'OnDelete' } },
  NoRollout: { rollout: { settled: true, healthy: true, message: 'the next job runs it', unwatched: 'NoRollout' } },
  failed: { rollout: { settled: false, healthy: false, failed: true, message: 'the rollout has exceeded its progress deadline' } },
};

function readKind(kind: string): WorkloadKind {
  const known = workloadKindNames.find((name) => name === kind);
  if (known === undefined) throw new Error(`kind: ${kind}`);
  return known;
}

function slotsOf(containers: Mapping, init: boolean): Slot[] {
  return Object.entries(containers).map(([container, image]) => ({ container, init, image: text(image, container) }));
}

/** Annotations by their key without `headwind.sh/`; `~` removes one. */
export function annotationsWith(annotations: Readonly<Record<string, string>>, changes: Mapping): Record<string, string> {
  const next: Record<string, string> = { ...annotations };
  for (const [key, value] of Object.entries(changes)) {
    if (value === '~') delete next[`headwind.sh/${key}`];
    else next[`headwind.sh/${key}`] = text(value, key);
  }
  return next;
}
