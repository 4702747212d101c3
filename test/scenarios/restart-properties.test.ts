import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readGiven } from './given.ts';
import { steps } from './steps.ts';
import { summarize, type World } from './world.ts';

/** What happens while labelled workloads run: each entry is a step of a scenario. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd').map((digest) => ['tag', { image: 'nginx:latest', digest }] as const) },
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'c').map((digest) => ['push', { image: 'nginx:latest', digest }] as const) },
  { weight: 4, arbitrary: fc.constantFrom('5s', '50s', '3m', '10m').map((time) => ['advance', time] as const) },
  { weight: 1, arbitrary: fc.constant(['restart', ''] as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('create', 'patch', 'status', 'read-pods'), fc.boolean(), fc.constantFrom('500', '409', '0'))
      .map(([on, lost, code]) => ['fail', { on, lost: String(lost && on !== 'read-pods'), code }] as const),
  },
);

async function play(story: readonly (readonly [string, string | Record<string, string>])[], look: (world: World) => void): Promise<void> {
  const world = readGiven({
    pods: '2',
    rollouts: '20s',
    registry: { nginx: ['latest'] },
    workloads: { web: { label: 'true', containers: { web: 'nginx' } } },
  });
  world.time.install();
  try {
    await world.startOperator();
    for (const [name, value] of story) {
      await steps[name]?.(world, value);
      await world.time.settle();
    }
    world.cluster.faults.length = 0;
    await world.time.advance(30 * 60_000);
    look(world);
  } finally {
    await world.killOperator();
    world.time.restore();
  }
}

describe('scenarios/restart-properties', () => {
  it('whatever is pushed and whatever fails: in the end the pods run it, and each request is at most one restart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 14 }), async (story) => {
        await play(story, (world) => {
          const { cluster } = world;
          const requests = [...cluster.requests.all()];
          const told = requests.map(summarize).join('; ');
          const restarts = cluster.workloads.patches.filter(({ change }) => change.restart).length;
          const applied = requests.filter(({ status }) =>
            status.conditions?.some(({ type, status: is }) => type === 'Applied' && is === 'True'),
          );
          assert.equal(restarts, applied.length, told);
          const reason = world.deps.notes.plan('Deployment/shop/web')?.[0]?.reason;
          if (reason === 'FlappingTag') return;
          const running = cluster.pods.now(world.onlyWorkload()).flatMap(({ containers }) => containers.map(({ digest }) => digest));
          const offered = world.registry.digestOf('docker.io/library/nginx', 'latest');
          assert.ok(
            running.every((digest) => digest === offered),
            `${reason}: ${told}`,
          );
        });
      }),
      { numRuns: 400 },
    );
  });

  it('what runs what the registry has is never restarted', async () => {
    const quiet = fc.oneof(
      happening.filter(([name]) => name !== 'tag' && name !== 'push'),
      fc.constant(['scale', ''] as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(quiet, { maxLength: 10 }), async (story) => {
        await play(story, ({ cluster }) => assert.deepEqual([cluster.writes, [...cluster.requests.all()]], [[], []]));
      }),
      { numRuns: 100 },
    );
  });
});
