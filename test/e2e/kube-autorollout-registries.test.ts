import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onKwok } from '../cluster/kwok.ts';
import { type Registry, startRegistry } from '../cluster/registry.ts';
import { atEnd } from './at-end.ts';
import { pullSecret, pullSecrets } from './manifests.ts';
import { basic, openGate, type RegistryGate } from './registry-gate.ts';
import type { RestartScene } from './restart-scene.ts';
import { openStage, playAll, startNode, type Story } from './restart-stage.ts';

const alice = { username: 'alice', password: 'alice-of-the-test' };
const bob = { username: 'bob', password: 'bob-of-the-test' };

/** Repositories of the registry that hangs: more than a namespace may hold workers. */
const stuck = 20;

interface World {
  readonly ofAlice: Registry;
  readonly ofBob: Registry;
  readonly gates: Readonly<Record<'alice' | 'bob' | 'late' | 'hanging' | 'busy', RegistryGate>>;
}

/** Waits until the operator has asked that many times more. */
async function untilSeen(scene: RestartScene, gate: RegistryGate, times: number, path?: RegExp): Promise<void> {
  const before = gate.byOperator(path).length;
  await scene.cluster.until(`${times} more requests at ${gate.host}`, () => gate.byOperator(path).length >= before + times);
}

function authorizationsAt(gate: RegistryGate): string[] {
  return [...new Set(gate.byOperator().map(({ authorization }) => authorization ?? 'none'))].toSorted();
}

function storiesIn({ ofAlice, ofBob, gates }: World): Readonly<Record<string, Story>> {
  return {
    'two registries in one pull secret: each sees its own credential only': async (scene) => {
      const [a, b] = [scene.repositoryOf('a'), scene.repositoryOf('b')];
      await Promise.all([ofAlice.push(a, 'latest'), ofBob.push(b, 'latest')]);
      const entries = [[gates.alice, alice] as const, [gates.bob, bob] as const];
      await scene.cluster.apply(pullSecrets('both', entries), { namespace: scene.namespace });
      const podSpec = { ...scene.kubelet.placement, imagePullSecrets: [{ name: 'both' }] };
      const containers = { a: `${gates.alice.host}/${a}:latest`, b: `${gates.bob.host}/${b}:latest` };
      const before = await scene.runLabelled({ containers, podSpec }, 0);
      await Promise.all([gates.alice, gates.bob].map((gate) => untilSeen(scene, gate, 6)));
      const runs = { a: await ofAlice.push(a, 'latest', { salt: 'second' }), b: await ofBob.push(b, 'latest', { salt: 'second' }) };
      await scene.untilRunning(runs);
      await Promise.all([gates.alice, gates.bob].map((gate) => untilSeen(scene, gate, 4)));
      const requests = (await scene.requestsOf()).map(({ spec }) => `${spec.containerName} Completed`);
      await scene.assertEnding(before, { restarts: 1, runs, requests });
      const own = (user: typeof alice) => [basic(user.username, user.password), 'none'].toSorted();
      assert.deepEqual([authorizationsAt(gates.alice), authorizationsAt(gates.bob)], [own(alice), own(bob)]);
      assert.doesNotMatch(scene.operator.logs(), /-of-the-test/);
    },

    'the first secret is refused, the second accepted: remembered': async (scene) => {
      await ofAlice.push(scene.repository, 'latest');
      const { late } = gates;
      const secrets = [pullSecret('wrong', late, 'alice', 'wrong'), pullSecret('right', late, alice.username, alice.password)];
      await scene.cluster.apply(secrets, { namespace: scene.namespace });
      const podSpec = { ...scene.kubelet.placement, imagePullSecrets: [{ name: 'wrong' }, { name: 'right' }] };
      const before = await scene.runLabelled({ image: `${late.host}/${scene.repository}:latest`, podSpec }, 0);
      await untilSeen(scene, late, 6);
      const app = await ofAlice.push(scene.repository, 'latest', { salt: 'second' });
      await scene.untilRequests(['app Completed']);
      await untilSeen(scene, late, 4);
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
      const refused = late.byOperator().filter(({ authorization }) => authorization === basic('alice', 'wrong'));
      assert.equal(refused.length, 1, 'a refused credential is not sent again');
    },

    'a registry that hangs delays nobody': async (scene, t) => {
      const { hanging } = gates;
      hanging.route = () => undefined;
      // Nobody waits for them when the operator is to end.
      t.after(() => hanging.open());
      await scene.push('first');
      const before = await scene.runLabelled();
      const names = Array.from({ length: stuck }, (_, index) => `${scene.name}-stuck-${index}`);
      for (const name of names) await scene.applyLabelled({ name, image: `${hanging.host}/${name}:latest`, podSpec: onKwok });
      await scene.cluster.until('requests hang', () => hanging.waiting.now >= 4);
      const startedAt = performance.now();
      const app = await scene.push('second');
      await scene.untilRequests(['app Completed']);
      const took = performance.now() - startedAt;
      t.diagnostic(`restarted ${took.toFixed(0)} ms after the push, at most ${hanging.waiting.most} requests hung`);
      assert.ok(took < 10_000, `${took} ms`);
      assert.ok(hanging.waiting.now > 0, 'they hang still');
      assert.ok(hanging.waiting.most <= names.length, 'one for each repository at most');
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    },

    '429 with Retry-After: silence for that long': async (scene) => {
      const { busy } = gates;
      await scene.push('first');
      const before = await scene.runLabelled({ image: `${busy.host}/${scene.repository}:latest` }, 0);
      await untilSeen(scene, busy, 3);
      let refusedAt: number | undefined;
      busy.route = ({ path, byOperator, at }, response) => {
        if (!byOperator || refusedAt !== undefined) return path;
        refusedAt = at;
        response.writeHead(429, { 'retry-after': '4' }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}');
        return undefined;
      };
      const app = await scene.push('second');
      await scene.untilRequests(['app Completed']);
      const next = busy.byOperator().find(({ at }) => at > refusedAt!);
      assert.ok(next!.at - refusedAt! >= 3_900, `asked again after ${next!.at - refusedAt!} ms`);
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    },
  };
}

describe('test/e2e/kube-autorollout-registries', () => {
  it('which credential goes where, and whom a registry can hold up', { concurrency: true }, async (t) => {
    const plain = await openStage(t);
    const [ofAlice, ofBob] = await Promise.all([startRegistry(alice), startRegistry(bob)]);
    for (const each of [ofAlice, ofBob]) atEnd(t, () => each.stop());
    const open = (registry: Registry) => openGate(t, registry);
    const gates = {
      alice: await open(ofAlice),
      bob: await open(ofBob),
      late: await open(ofAlice),
      hanging: await open(plain.registry),
      busy: await open(plain.registry),
    };
    // The node pulls through the gates, with the passwords.
    const registries = [
      { ...gates.alice, ...alice },
      { ...gates.bob, ...bob },
      { ...gates.late, ...alice },
    ];
    const stage = { ...plain, kubelet: await startNode(t, plain, { registries }) };
    const stories = storiesIn({ ofAlice, ofBob, gates });
    await playAll(t, stage, stories, { insecure: Object.values(gates), patches: 4 });
  });
});
