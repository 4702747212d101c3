import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Workload } from '../../src/core/workload.ts';
import type { Pods, RunningPod } from '../../src/ports.ts';

export interface PodsWorld {
  readonly pods: Pods;
  /** A workload whose pods are there and ready; its controller has finished. */
  readonly run: (
    kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
    name: string,
    images: Readonly<Record<string, string>>,
    initImages?: Readonly<Record<string, string>>,
  ) => Promise<Workload>;
  readonly createCronJob: (name: string) => Promise<Workload>;
  /** The digest that nodes get for an image. */
  readonly digestOf: (image: string) => string;
  /** Images that nodes can run. */
  readonly images: readonly [string, string];
  /** The workload vanishes, and its pods with it. */
  readonly remove: (workload: Workload) => Promise<void>;
}

const signal = new AbortController().signal;

const summary = (pods: readonly RunningPod[]) =>
  pods.map(({ isCurrentRevision, isReady, containers }) => ({
    isCurrentRevision,
    isReady,
    containers: Object.fromEntries(containers.map(({ container, image, digest, isConfig }) => [container, { image, digest, isConfig }])),
  }));

/** Every implementation of the port, the fake included, must pass this one suite. */
export function describePods(name: string, start: (t: TestContext) => Promise<PodsWorld>): void {
  describe(`${name} keeps the contract of Pods`, () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const) {
      it(`gives the pods of a ${kind}: images as in the spec, digests of all containers`, async (t) => {
        const { pods, run, digestOf, images } = await start(t);
        const [web, prepare] = images;
        const workload = await run(kind, `of-${kind.toLowerCase()}`, { web }, { prepare });
        const container = (image: string) => ({ image, digest: digestOf(image), isConfig: false });
        const one = { isCurrentRevision: true, isReady: true, containers: { web: container(web), prepare: container(prepare) } };
        const found = await pods.of(workload, signal);
        assert.ok(found.length > 0);
        assert.deepEqual(
          summary(found),
          found.map(() => one),
        );
        assert.deepEqual(
          found.map(({ platform }) => platform?.os),
          found.map(() => 'linux'),
        );
        assert.equal(new Set(found.map(({ uid }) => uid)).size, found.length);
      });
    }

    it('a CronJob has none', async (t) => {
      const { pods, createCronJob } = await start(t);
      assert.deepEqual(await pods.of(await createCronJob('report'), signal), []);
    });

    it('pods of a neighbour are never among them', async (t) => {
      const { pods, run, images } = await start(t);
      const [one, other] = [await run('Deployment', 'one', { web: images[0] }), await run('Deployment', 'one-other', { web: images[1] })];
      const imagesOf = async (workload: Workload) =>
        new Set((await pods.of(workload, signal)).flatMap(({ containers }) => containers.map(({ image }) => image)));
      assert.deepEqual(await imagesOf(one), new Set([images[0]]));
      assert.deepEqual(await imagesOf(other), new Set([images[1]]));
    });

    it('a workload that is gone, and another one of its name, has none', async (t) => {
      const { pods, run, remove, images } = await start(t);
      const workload = await run('Deployment', 'gone', { web: images[0] });
      assert.deepEqual(await pods.of({ ...workload, uid: 'another' }, signal), []);
      await remove(workload);
      assert.deepEqual(await pods.of(workload, signal), []);
    });

    it('deletes exactly the pod that was meant, and one that is gone already is fine', async (t) => {
      const { pods, run, images } = await start(t);
      const workload = await run('Deployment', 'delete', { web: images[0] });
      const [pod] = await pods.of(workload, signal);
      assert.ok(pod);
      const uids = async () => (await pods.of(workload, signal)).map(({ uid }) => uid);
      await pods.delete(workload, { ...pod, uid: 'another' }, signal);
      assert.ok((await uids()).includes(pod.uid));
      await pods.delete(workload, pod, signal);
      assert.ok(!(await uids()).includes(pod.uid));
      await pods.delete(workload, pod, signal);
    });

    it('nothing is read or deleted once the signal has aborted', async (t) => {
      const { pods, run, images } = await start(t);
      const workload = await run('Deployment', 'aborted', { web: images[0] });
      const [pod] = await pods.of(workload, signal);
      assert.ok(pod);
      const aborted = AbortSignal.abort(new Error('lost'));
      await assert.rejects(pods.of(workload, aborted), /lost/);
      await assert.rejects(pods.delete(workload, pod, aborted), /lost/);
      assert.ok((await pods.of(workload, signal)).some(({ uid }) => uid === pod.uid));
    });
  });
}
