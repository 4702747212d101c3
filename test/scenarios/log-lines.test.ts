import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readGiven } from './given.ts';
import type { Mapping, Value } from './scenario-file.ts';
import { steps } from './steps.ts';
import type { World } from './world.ts';

/** What people of kube-autorollout search their logs for: level and words, and the fields that each line has. */
const lines = {
  scan: ['info', 'Scanning for digest changes in resources', ['resource_count', 'kind', 'label']],
  found: ['debug', 'Found resource with label', ['kind', 'resource']],
  pod: ['debug', 'Found container with image and current digest', ['pod', 'container', 'image', 'current_digest']],
  recent: ['debug', 'Found recent image digests', ['recent_digests']],
  triggering: ['info', 'Triggering rollout for resource', ['kind', 'resource']],
  triggered: ['info', 'Successfully triggered rollout', ['kind', 'resource']],
  same: ['debug', 'Skipping resource, digest is up to date', ['kind', 'resource', 'container', 'image']],
  empty: ['info', 'Skipping resource as desired and actual replicas are zero', ['kind', 'resource']],
  policy: ['warn', 'Container has a misconfigured imagePullPolicy', ['kind', 'resource', 'container', 'image']],
  lookup: ['warn', 'Skipping container because registry lookup failed', ['kind', 'resource', 'container', 'image', 'error']],
  pods: ['warn', 'Skipping resource because its pods/containers are not scheduled or ready yet', ['kind', 'resource']],
} as const satisfies Record<string, readonly [level: string, words: string, fields: readonly string[]]>;

type Name = keyof typeof lines;

interface Row {
  readonly title: string;
  readonly given?: Mapping;
  readonly workload?: Mapping;
  readonly story: readonly (readonly [string, Value])[];
  /** What is said, as often as it is; nothing else of the above is. */
  readonly says: Readonly<Partial<Record<Name, number>>>;
}

const rows: readonly Row[] = [
  {
    title: 'a new digest: looked for at each tick, and restarted once',
    story: [
      ['tag', 'nginx:latest'],
      ['advance', '40s'],
    ],
    says: { scan: 1, recent: 1, found: 1, pod: 3, triggering: 1, triggered: 1, same: 2 },
  },
  { title: 'nothing new: nothing but the look', story: [['advance', '40s']], says: { scan: 1, recent: 1, found: 1, pod: 2, same: 1 } },
  { title: 'no pods are wanted', workload: { is: 'empty' }, story: [['advance', '4m']], says: { scan: 9, recent: 9, empty: 1, same: 1 } },
  {
    title: 'a container that would not pull',
    workload: { pull: 'IfNotPresent' },
    story: [['advance', '4m']],
    says: { scan: 9, recent: 9, policy: 1, same: 1 },
  },
  { title: 'a registry without the image', given: { registry: {} }, story: [['advance', '4m']], says: { scan: 9, lookup: 1, same: 1 } },
  {
    title: 'no pod runs yet',
    given: { pods: '0' },
    story: [['advance', '40s']],
    says: { scan: 1, recent: 1, found: 2, pods: 1, same: 1 },
  },
];

async function play({ given, workload, story }: Row): Promise<World> {
  const world = readGiven({
    pods: '2',
    registry: { nginx: ['latest'] },
    workloads: { web: { label: 'true', containers: { web: 'nginx' }, ...workload } },
    ...given,
  });
  world.time.install();
  try {
    await world.startOperator();
    for (const [name, value] of story) {
      await steps[name]?.(world, value);
      await world.time.settle();
    }
    return world;
  } finally {
    await world.killOperator();
    world.time.restore();
  }
}

describe('test/scenarios/log-lines', () => {
  for (const row of rows) {
    it(row.title, async () => {
      const { log } = await play(row);
      const said: Partial<Record<Name, number>> = {};
      for (const { level, message, fields } of log.lines) {
        const name = (Object.keys(lines) as Name[]).find((each) => message.startsWith(lines[each][1]));
        if (name === undefined) continue;
        assert.equal(level, lines[name][0], message);
        for (const field of lines[name][2]) assert.ok(field in fields, `${message}: ${field} in ${JSON.stringify(fields)}`);
        said[name] = (said[name] ?? 0) + 1;
      }
      assert.deepEqual(said, row.says);
    });
  }
});
