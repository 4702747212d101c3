import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { aRunningPod, FakePods } from '../../test/fakes/pods.ts';
import { FakePullSecrets } from '../../test/fakes/pull-secrets.ts';
import { RecordingLog } from '../../test/fakes/recording.ts';
import { FakeRegistryPort } from '../../test/fakes/registry-port.ts';
import { defaultAutorolloutSettings } from '../core/autorollout-settings.ts';
import { parseImageReference } from '../core/image-reference.ts';
import { RegistryError } from '../errors.ts';
import type { PullContext, Registry } from '../ports.ts';
import { comparePods } from './compare-pods.ts';
import { RepositoryAccess } from './repository-access.ts';
import { TagBook } from './tag-book.ts';

const signal = new AbortController().signal;
const workload = aWorkload({ namespace: 'team', pullSecretNames: ['regcred'] });
const repository = 'registry.example/team/app';

function reference() {
  const parsed = parseImageReference(`${repository}:1.0.0`);
  assert.ok(!('invalid' in parsed));
  return parsed;
}

/** Keeps what it read until somebody asks for a fresh look. */
class KeptPullSecrets extends FakePullSecrets {
  readonly looks: boolean[] = [];
  readonly asked: (readonly string[] | undefined)[] = [];
  #kept: ReturnType<FakePullSecrets['of']> | undefined;

  override async of(context: PullContext, _signal?: AbortSignal, { fresh = false } = {}): ReturnType<FakePullSecrets['of']> {
    this.looks.push(fresh);
    this.asked.push(context.podPullSecretNames);
    if (fresh || !this.#kept) this.#kept = super.of(context);
    return this.#kept;
  }
}

function start() {
  const registry = new FakeRegistryPort();
  const digest = registry.push(repository, '1.1.0');
  registry.protect(repository, 'right');
  const pullSecrets = new KeptPullSecrets({ 'team/regcred': 'wrong' });
  const access = new RepositoryAccess({ registry, pullSecrets, book: new TagBook(), clock: { now: () => 0 } });
  return { registry, pullSecrets, access, digest, ask: () => access.digest(workload, reference(), '1.1.0', signal) };
}

describe('operator/repository-access', () => {
  it('reads pull secrets again after the registry refused them, so that a correction counts at once', async () => {
    const { pullSecrets, ask, digest } = start();
    await assert.rejects(ask(), { code: 'Unauthorized' });
    pullSecrets.set('team/regcred', 'right');
    assert.equal(await ask(), digest);
    assert.equal(await ask(), digest);
    assert.deepEqual(pullSecrets.looks, [false, true, false]);
  });

  it('does not read them again after another failure', async () => {
    const { registry, pullSecrets, ask } = start();
    registry.fail('Unavailable');
    for (const _ of [1, 2]) await assert.rejects(ask(), { code: 'Unavailable' });
    assert.deepEqual(pullSecrets.looks, [false, false]);
  });

  it('uses what live pods list before what the template has, and says whose pods pull', async () => {
    const { registry, pullSecrets } = start();
    const contexts: (PullContext | undefined)[] = [];
    const port: Registry = registry;
    const watched: Registry = {
      resolve: port.resolve.bind(port),
      contents: port.contents.bind(port),
      tags: port.tags.bind(port),
      created: port.created.bind(port),
      credentials: (repository, secrets, context) => {
        contexts.push(context);
        return port.credentials(repository, secrets, context);
      },
    };
    const access = new RepositoryAccess({ registry: watched, pullSecrets, book: new TagBook(), clock: { now: () => 0 } });
    await access.open(workload, reference(), signal);
    access.podsList(workload, ['injected']);
    const key = access.known(workload, reference());
    await access.open(workload, reference(), signal);
    access.podsList(workload, ['regcred']);
    await access.open(workload, reference(), signal);
    assert.deepEqual(
      contexts.map((context) => context?.podPullSecretNames),
      [undefined, ['injected'], undefined],
    );
    assert.deepEqual([contexts[0]?.namespace, contexts[0]?.serviceAccountName], [workload.namespace, workload.serviceAccountName]);
    assert.equal(access.known(workload, reference()), key);
  });

  it('learns what live pods list from whoever compares them', async () => {
    const { pullSecrets, access } = start();
    pullSecrets.set('team/injected', 'right');
    const pods = new FakePods();
    const slot = { workload, container: 'web', reference: reference(), offered: `sha256:${'a'.repeat(64)}`, stalled: false };
    const deps = { pods, access, log: new RecordingLog(), autorollout: () => defaultAutorolloutSettings };
    pods.set(workload, [aRunningPod({ pullSecretNames: ['injected'] })]);
    await comparePods(slot, deps, signal);
    await access.open(workload, reference(), signal);
    assert.deepEqual(pullSecrets.asked.at(-1), ['injected']);
  });

  it('is told of failures by those who ask themselves', async () => {
    const { pullSecrets, access } = start();
    const opened = await access.open(workload, reference(), signal);
    access.failed(opened, new RegistryError('Denied', 'no', { registry: 'registry.example', repository: 'team/app', operation: 'tags' }));
    await access.open(workload, reference(), signal);
    assert.deepEqual(pullSecrets.looks, [false, true]);
  });
});
