import assert from 'node:assert/strict';
import type { Phase, UpdateRequest } from '../../src/core/update-request-schema.ts';
import type { RegistryErrorCode } from '../../src/errors.ts';
import { approveRequest, rejectRequest, type Verdict } from '../../src/operator/decide-request.ts';
import { anUpdateRequest } from '../builders.ts';
import type { Verb } from '../fakes/cluster.ts';
import { aDigest } from '../fakes/registry-port.ts';
import { annotationsWith, readWorkload } from './given.ts';
import { duration, list, mapping, members, text, type Value } from './scenario-file.ts';
import { readImage, type World } from './world.ts';

type Run = (world: World, value: Value) => Promise<void> | void;

/** Everything that a step can do, by its name. What a value may be stands in README.md. */
export const steps: Readonly<Record<string, Run>> = {
  push: (world, value) => forEach(value, (item) => push(world, item, true)),
  tag: (world, value) => forEach(value, (item) => push(world, item, false)),
  spin: (world, value) => {
    for (const [image, turns] of Object.entries(mapping(value, 'spin')))
      world.registry.spinning.set(readImage(image).repository, Number(text(turns, 'spin')));
  },
  untag: (world, value) => forEach(value, (item) => untag(world, item)),
  hint: (world, value) => forEach(value, (item) => hint(world, item)),
  truncate: (world, value) => void (world.registry.truncated = value === 'true'),
  down,
  up: (world, value) => world.registry.fail(undefined, value === '' ? '' : readImage(text(value, 'up')).repository),
  secret: (world, value) => {
    for (const [name, password] of Object.entries(mapping(value, 'secret'))) {
      world.secrets.set(name, password === '~' ? undefined : text(password, name));
    }
  },
  approve: (world, value) => forEach(value, (item) => decide(world, item, 'Approved')),
  reject: (world, value) => forEach(value, (item) => decide(world, item, 'Rejected')),
  'set-phase': setPhase,
  create: (world, value) => forEach(value, (item) => create(world, item)),
  delete: (world, value) => {
    const { metadata } = world.request(text(value, 'delete'));
    world.cluster.requests.remove(metadata.namespace, metadata.name);
  },
  add: (world, value) => {
    for (const [name, workload] of Object.entries(mapping(value, 'add'))) world.cluster.workloads.put(readWorkload(name, workload));
  },
  edit,
  remove: (world, value) => world.cluster.remove(value === '' ? world.onlyWorkload() : world.workload(text(value, 'remove'))),
  settle: (world, value) =>
    void world.cluster.workloads.settle(value === '' ? world.onlyWorkload() : world.workload(text(value, 'settle'))),
  times: (world, value) => {
    const years = Object.entries(mapping(value, 'times')).map(
      ([image, year]) => [readImage(image).tag, Date.parse(text(year, image))] as const,
    );
    world.registry.pushTimes = new Map(years);
  },
  index: (world, value) => forEach(value, (item) => describeIndex(world, item)),
  nodes: (world, value) => {
    for (const [image, digest] of Object.entries(mapping(value, 'nodes'))) {
      if (digest === '~') world.nodes.delete(image);
      else world.nodes.set(image, digest === 'stuck' ? undefined : aDigest(text(digest, image)));
    }
  },
  scale: (world, value) => world.addPod(value === '' ? world.onlyWorkload() : world.workload(text(value, 'scale'))),
  fail: (world, value) => {
    const found = members(value, 'fail', ['on', 'code', 'times', 'lost', 'message']);
    world.cluster.faults.push({
      verb: text(found.on, 'on') as Verb,
      code: Number(text(found.code ?? '500', 'code')),
      times: Number(text(found.times ?? '1', 'times')),
      lost: found.lost === 'true',
      ...(found.message !== undefined && { message: text(found.message, 'message') }),
    });
  },
  advance: (world, value) => world.time.advance(duration(value, 'advance')),
  wake: (world) => world.wakeAll(),
  restart: async (world) => {
    await world.killOperator();
    await world.startOperator();
  },
  stop: (world) => world.killOperator(),
  start: (world) => world.startOperator(),
};

async function forEach(value: Value, run: (item: Value) => Promise<void> | void): Promise<void> {
  for (const item of list(value)) await run(item);
}

/** `nginx:1.26`, or a mapping with the digest by a name of its content. */
function push(world: World, value: Value, tells: boolean): void {
  const found = typeof value === 'string' ? { image: value } : members(value, 'push', ['image', 'digest', 'id', 'claim']);
  const { repository, tag } = readImage(text(found.image, 'image'));
  const named = 'digest' in found && found.digest !== undefined ? aDigest(text(found.digest, 'digest')) : undefined;
  const digest = world.registry.push(repository, tag, named);
  if (!tells) return;
  const claim = 'claim' in found ? found.claim : undefined;
  const claimed = claim === undefined ? digest : claim === 'none' ? undefined : aDigest(text(claim, 'claim'));
  tell(world, text(found.image, 'image'), claimed, 'id' in found ? found.id : undefined);
}

/** What stands behind a digest: `{digest: one, platforms: {linux/amd64: a}}`, all by names of contents. */
function describeIndex(world: World, value: Value): void {
  const found = members(value, 'index', ['digest', 'platforms']);
  const platforms = Object.entries(mapping(found.platforms, 'platforms')).map(([platform, image]) => [
    platform,
    aDigest(text(image, platform)),
  ]);
  world.registry.index(aDigest(text(found.digest, 'digest')), Object.fromEntries(platforms));
}

function untag(world: World, value: Value): void {
  const { repository, tag } = readImage(text(value, 'untag'));
  world.registry.remove(repository, tag);
}

function hint(world: World, value: Value): void {
  const found = typeof value === 'string' ? { image: value } : members(value, 'hint', ['image', 'digest', 'id']);
  const digest = 'digest' in found && found.digest !== undefined ? aDigest(text(found.digest, 'digest')) : undefined;
  tell(world, text(found.image, 'image'), digest, 'id' in found ? found.id : undefined);
}

function tell(world: World, image: string, digest: string | undefined, id: Value | undefined): void {
  const { reference, tag } = readImage(image);
  const { registry, repository } = reference;
  const answer = world.work.accept([
    {
      provider: 'registry',
      registry,
      repository,
      tag,
      ...(digest !== undefined && { digest }),
      ...(id !== undefined && { deliveryId: text(id, 'id') }),
    },
  ]);
  assert.equal(answer, 'accepted');
}

function down(world: World, value: Value): void {
  const found = typeof value === 'string' ? { where: value } : members(value, 'down', ['where', 'code', 'retry-after']);
  const where = text(found.where ?? '', 'where');
  const code = text(('code' in found ? found.code : undefined) ?? 'Unavailable', 'code') as RegistryErrorCode;
  const wait = 'retry-after' in found ? duration(found['retry-after'], 'retry-after') : undefined;
  world.registry.fail(code, where === '' ? '' : readImage(where).repository, wait);
}

/** By kubectl, which writes the phase and may leave out the name, or as API and UI do. */
async function decide(world: World, value: Value, phase: 'Approved' | 'Rejected'): Promise<void> {
  const found = typeof value === 'string' ? { request: value } : members(value, 'approve', ['request', 'by', 'via', 'force', 'reason']);
  const request = world.request(text(found.request, 'request'));
  const by = 'by' in found && found.by !== undefined ? text(found.by, 'by') : undefined;
  const reason = 'reason' in found && found.reason !== undefined ? text(found.reason, 'reason') : undefined;
  if ('via' in found && found.via === 'api') {
    const verdict = await decideByApi(world, request, phase, by ?? 'alice', reason, 'force' in found && found.force === 'true');
    assert.equal(verdict.ok, true, `the API refuses: ${'reason' in verdict ? verdict.reason : ''}`);
    return;
  }
  const name = by === undefined ? {} : phase === 'Approved' ? { approvedBy: by } : { rejectedBy: by };
  const message = reason === undefined ? {} : { message: reason };
  world.cluster.requests.put({ ...request, status: { ...request.status, phase, ...name, ...message } });
}

function decideByApi(
  world: World,
  { metadata: { namespace, name } }: UpdateRequest,
  phase: 'Approved' | 'Rejected',
  username: string,
  reason: string | undefined,
  force: boolean,
): Promise<Verdict> {
  const { requests } = world.cluster;
  const { clock, audit } = world.deps;
  const deps = { requests, changes: requests.changes, clock, audit, announcer: world.deps };
  const caller = { username, verified: true, source: 'api' } as const;
  const { signal } = new AbortController();
  return phase === 'Approved'
    ? approveRequest(deps, caller, { namespace, name }, { force }, signal)
    : rejectRequest(deps, caller, { namespace, name }, { reason }, signal);
}

function setPhase(world: World, value: Value): void {
  const found = members(value, 'set-phase', ['request', 'phase']);
  const request = world.request(text(found.request, 'request'));
  world.cluster.requests.put({ ...request, status: { ...request.status, phase: text(found.phase, 'phase') as Phase } });
}

/** A request as a person would write it: only what is needed. */
function create(world: World, value: Value): void {
  const names = [
    'name',
    'workload',
    'kind',
    'namespace',
    'target-namespace',
    'trigger',
    'container',
    'from',
    'to',
    'digest',
    'from-digest',
    'approval',
    'policy',
    'status',
  ] as const;
  const found = members(value, 'create', names);
  const name = text(found.name ?? 'by-hand', 'name');
  const namespace = text(found.namespace ?? 'shop', 'namespace');
  const target = { kind: text(found.kind ?? 'Deployment', 'kind'), name: text(found.workload ?? 'web', 'workload') };
  const { spec } = anUpdateRequest();
  const { trigger: _trigger, newDigest: _digest, requireApproval: _approval, expiresAt: _expiry, containerName: _name, ...rest } = spec;
  world.cluster.requests.put({
    ...anUpdateRequest({ metadata: { name, namespace, uid: `uid-${name}`, creationTimestamp: timeText(world) } }),
    spec: {
      ...rest,
      targetRef: { ...target, namespace: text(found['target-namespace'] ?? namespace, 'target-namespace') },
      currentImage: text(found.from ?? 'nginx:1.25', 'from'),
      newImage: text(found.to ?? 'nginx:1.26', 'to'),
      ...(found.container !== undefined && { containerName: text(found.container, 'container') }),
      ...(found.digest !== undefined && { newDigest: aDigest(text(found.digest, 'digest')) }),
      ...(found['from-digest'] !== undefined && { currentDigest: aDigest(text(found['from-digest'], 'from-digest')) }),
      ...(found.trigger !== undefined && { trigger: text(found.trigger, 'trigger') as UpdateRequest['spec']['trigger'] & string }),
      ...(found.approval !== undefined && { requireApproval: found.approval === 'true' }),
    },
    status: found.status === undefined ? {} : (mapping(found.status, 'status') as UpdateRequest['status']),
  });
}

function timeText(world: World): string {
  return new Date(world.time.now()).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Somebody else changes a workload: images, annotations, `paused`. A new image starts a rollout that is over at once. */
function edit(world: World, value: Value): void {
  const found = members(value, 'edit', ['workload', 'images', 'annotations', 'paused', 'settled', 'uid']);
  const workload = found.workload === undefined ? world.onlyWorkload() : world.workload(text(found.workload, 'workload'));
  const images = mapping(found.images, 'images');
  const settled = found.settled === 'false' ? { settled: false, healthy: false, message: '1 of 2 pods are updated' } : workload.rollout;
  world.cluster.workloads.put({
    ...workload,
    slots: workload.slots.map((slot) => ({ ...slot, image: text(images[slot.container] ?? slot.image, slot.container) })),
    annotations: annotationsWith(workload.annotations, mapping(found.annotations, 'annotations')),
    paused: found.paused === undefined ? workload.paused : found.paused === 'true',
    rollout: settled,
    ...(found.uid !== undefined && { uid: text(found.uid, 'uid') }),
  });
}
