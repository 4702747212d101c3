import { describe, it } from 'node:test';
import { readGiven } from './given.ts';
import { steps } from './steps.ts';
import { summarize, type World } from './world.ts';
import { aDigest } from '../fakes/registry-port.ts';

function spin(world: World, name = 'docker.io/library/nginx', values = Infinity): void {
  const { registry } = world;
  let n = 0;
  const resolve = registry.resolve.bind(registry);
  registry.resolve = async (reference, tag, credentials, signal) => {
    registry.push(name, tag, aDigest(`spin ${++n % values}`));
    return resolve(reference, tag, credentials, signal);
  };
}
async function play(title: string, given: any, before: (w: World) => void, story: [string, any][]) {
  const world = readGiven(given);
  before(world);
  world.time.install();
  try {
    await world.startOperator();
    for (const [name, value] of story) { await steps[name]?.(world, value); await world.time.settle(); }
    const c = (list: readonly string[]) => Object.fromEntries([...Map.groupBy(list, (x) => x.split(' ')[0]!)].map(([k, v]) => [k, v.length]));
    console.log(title, { writes: c(world.cluster.writes), restarts: world.cluster.workloads.patches.length, registry: c(world.registry.calls), events: world.events.emitted.length, requests: [...world.cluster.requests.all()].length, podreads: (world.cluster.pods as any).calls?.length });
    console.log([...world.cluster.requests.all()].slice(-3).map(summarize), world.deps.notes.plan('Deployment/shop/web') ?? world.deps.notes.plan('CronJob/shop/web'));
    const errors = world.log.lines.filter(({ level }) => level === 'error');
    if (errors.length) console.log(errors.length, errors[0]);
    return world;
  } finally {
    await world.killOperator();
    world.time.restore();
  }
}
const label = { pods: '1', registry: { nginx: ['latest'] }, workloads: { web: { label: 'true', containers: { web: 'nginx' } } } };
describe('explore', () => {
  it('cron', async () => { await play('cron pin', { registry: { nginx: ['latest'] }, workloads: { web: { kind: 'CronJob', annotations: { policy: 'digest', 'require-approval': 'false', 'digest-mode': 'pin', 'min-update-interval': '0' }, containers: { web: 'nginx:latest' } } } }, () => {}, [['push', 'nginx:latest'], ['advance', '1m'], ['edit', {images: {web: 'nginx:latest'}}], ['down', ''], ['hint', 'nginx:latest'], ['advance', '1m']]); });
  it('cron2', async () => { await play('cron pin, first', { registry: { nginx: ['latest'] }, workloads: { web: { kind: 'CronJob', annotations: { policy: 'digest', 'require-approval': 'false', 'digest-mode': 'pin', 'min-update-interval': '0' }, containers: { web: 'nginx:latest' } } } }, () => {}, [['push', 'nginx:other'],['advance', '1m'], ['down', ''], ['hint', 'nginx:latest'], ['advance', '1m'], ['up', ''], ['advance', '5m']]); });
});
