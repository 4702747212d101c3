import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareTags } from '../../src/core/order.ts';
import { parseTag } from '../../src/core/tag.ts';
import { readGiven } from './given.ts';
import { steps } from './steps.ts';
import { summarize, tagOf, type World } from './world.ts';

const number = fc.nat({ max: 4 });
const version = fc.tuple(number, number, number).map((parts) => parts.join('.'));
const suffix = fc.constantFrom('', '', '', '-alpine', '-rc.1', '-rc2', '-1', '-debian-12-r5', '-g1a2b3c4', '+build');
const odd = fc.constantFrom(
  'latest',
  'main',
  'stable',
  '2024-01-15',
  '20240115',
  '2024.01.15',
  '1606234201',
  'abc1234',
  'build-7',
  '1.2.3.4.5',
  'sha256-x.sig',
);
const tag = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('', 'v'), version, suffix).map((parts) => parts.join('').replace('+', '_')) },
  { weight: 2, arbitrary: fc.tuple(number, number).map(([major, minor]) => `${major}.${minor}`) },
  { weight: 1, arbitrary: odd },
);
const policy = fc.constantFrom(
  'none',
  'patch',
  'minor',
  'major',
  'all',
  'glob:*',
  'glob:*.*',
  'regex:^v?(?P<version>.+)$',
  'semver:>=0',
  'digest',
);
const source = fc.constantFrom('webhook', 'polling', 'both');

interface Story {
  readonly current: string;
  readonly policy: string;
  readonly source: string;
  readonly prerelease: boolean;
  readonly listed: readonly string[];
  readonly pushed: readonly string[];
}

const story = fc.record({
  current: tag,
  policy,
  source,
  prerelease: fc.boolean(),
  listed: fc.array(tag, { maxLength: 6 }),
  pushed: fc.array(tag, { maxLength: 4 }),
});

/** Everything is listed, polled and pushed, with nothing that holds a change back; then `look`. */
async function tell<T>({ current, policy, source, prerelease, listed, pushed }: Story, look: (world: World) => Promise<T>): Promise<T> {
  const world = readGiven({
    polling: '60s',
    rollouts: '1s',
    registry: { nginx: [...new Set(listed)] },
    workloads: {
      web: {
        containers: { web: `nginx:${current}` },
        annotations: {
          policy,
          'event-source': source,
          'require-approval': 'false',
          'min-update-interval': '0',
          'allow-prerelease': String(prerelease),
        },
      },
    },
  });
  world.time.install();
  try {
    await world.startOperator();
    await world.time.advance(90_000);
    for (const pushedTag of pushed) {
      await steps['push']?.(world, `nginx:${pushedTag}`);
      await world.time.advance(10_000);
    }
    await world.time.advance(120_000);
    return await look(world);
  } finally {
    await world.killOperator();
    world.time.restore();
  }
}

/** The images that ran, in their order, as tags. */
function path(world: World, current: string): string[] {
  return [current, ...world.cluster.workloads.patches.map(({ change }) => tagOf(change.images.get('web') ?? ''))];
}

function isDowngrade(from: string, to: string): boolean {
  const [a, b] = [parseTag(from), parseTag(to)];
  if (!a || !b || a.kind !== b.kind) return false;
  return a.family !== b.family || compareTags(b, a) < 0;
}

describe('scenarios/properties', () => {
  it('whatever is listed, polled and pushed, no step goes down', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        await tell(told, async (world) => {
          const ran = path(world, told.current);
          for (const [index, to] of ran.slice(1).entries())
            assert.ok(!isDowngrade(ran[index] ?? '', to), `${told.policy}: ${ran.join(' → ')}`);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('looking once more at what has settled writes nothing, neither in this process nor in the next', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        await tell(told, async (world) => {
          const before = world.cluster.writes.length;
          await world.wakeAll();
          assert.equal(world.cluster.writes.length, before);
          await world.killOperator();
          await world.startOperator();
          await world.wakeAll();
          assert.equal(world.cluster.writes.length, before);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('the order of a list does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(story, fc.infiniteStream(fc.nat()), async (told, dice) => {
        const outcome = (order: readonly string[]) =>
          tell({ ...told, source: 'polling', pushed: [], listed: order }, async (world) => ({
            ran: path(world, told.current),
            requests: [...world.cluster.requests.all()].map(summarize),
          }));
        const shuffled = [...told.listed].map((listedTag) => [dice.next().value, listedTag] as const).sort(([a], [b]) => a - b);
        assert.deepEqual(await outcome(shuffled.map(([, listedTag]) => listedTag)), await outcome(told.listed));
      }),
      { numRuns: 60 },
    );
  });

  it('every change of a workload is a Completed request and a line in its history', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        await tell(told, async (world) => {
          const completed = [...world.cluster.requests.all()].filter(({ status }) => status.phase === 'Completed');
          assert.equal(completed.length, world.cluster.workloads.patches.length);
          const history: unknown = JSON.parse(world.onlyWorkload().annotations['headwind.sh/update-history'] ?? '[]');
          assert.ok(Array.isArray(history) && history.length === completed.length);
        });
      }),
      { numRuns: 40 },
    );
  });
});
