import assert from 'node:assert/strict';
import type { TestBed } from '../cluster/test-bed.ts';
import { call } from '../e2e/call.ts';
import type { Ports } from './operator.ts';

export interface Scene {
  readonly bed: TestBed;
  readonly ports: Ports;
  readonly say: (line: string) => void;
  /** Approve by itself, instead of leaving that to the person who watches. */
  readonly approve: boolean;
}

const paths = {
  web: '/apis/apps/v1/namespaces/shop/deployments/web',
  queue: '/apis/apps/v1/namespaces/shop/statefulsets/queue',
  report: '/apis/batch/v1/namespaces/shop/cronjobs/report',
} as const;

/**
 * Pushes tags and shows what becomes of them; every line it says is checked. Throws when something does not happen.
 * Gives the name of the request for the Deployment.
 */
export async function tellStory(scene: Scene): Promise<string> {
  await patchByItself(scene);
  await globByItself(scene);
  const request = await waitForRequest(scene);
  if (!scene.approve) {
    scene.say('shop/web waits for you: 2.0.0 is more than minor, 1.5.0 needs your approval');
    return request;
  }
  await approve(scene, request);
  await rejected(scene);
  scene.say('all of it is as it should be');
  return request;
}

async function patchByItself({ bed: { cluster, registry }, say }: Scene): Promise<void> {
  say('push shop/queue:7.3.0 and 7.2.1; its policy is patch, without approval');
  await registry.push('shop/queue', '7.3.0');
  await registry.push('shop/exporter', '1.0.1');
  const digest = await registry.push('shop/queue', '7.2.1');
  const queue = await cluster.until('queue runs 7.2.1', async (see): Promise<any> => {
    const found: any = await cluster.admin.get(paths.queue);
    see(found.spec.template.spec.containers);
    return found.spec.template.spec.containers[0].image === registry.reference('shop/queue', '7.2.1') && found;
  });
  assert.equal(queue.spec.template.spec.containers[1].image, registry.reference('shop/exporter', '1.0.0'), 'the exporter is left alone');
  const [entry] = JSON.parse(queue.metadata.annotations['headwind.sh/update-history']);
  assert.equal(entry.digest, digest);
  await cluster.untilRolledOut(paths.queue);
  say(`shop/queue now runs 7.2.1 (${digest.slice(0, 19)}…): 7.3.0 is more than a patch, the exporter is not among its images`);
}

async function globByItself({ bed: { cluster, registry }, say }: Scene): Promise<void> {
  say('push shop/report:v1.1-beta and v1.1-stable; its pattern is v*-stable');
  await registry.push('shop/report', 'v1.1-beta');
  await registry.push('shop/report', 'v1.1-stable');
  await cluster.until('report runs v1.1-stable', async () => {
    const { spec }: any = await cluster.admin.get(paths.report);
    return spec.jobTemplate.spec.template.spec.containers[0].image === registry.reference('shop/report', 'v1.1-stable');
  });
  say('the CronJob report will run v1.1-stable');
}

async function waitForRequest({ bed: { cluster, registry }, say }: Scene): Promise<string> {
  say('push shop/web:2.0.0 and 1.5.0; its policy is minor, with approval');
  await registry.push('shop/web', '2.0.0');
  await registry.push('shop/web', '1.5.0');
  const name = await cluster.until('a request for web 1.5.0 waits', async (see) => {
    const items: any[] = await cluster.admin.list('/apis/headwind.sh/v1alpha1/namespaces/shop/updaterequests');
    see(items.map(({ spec, status }: any) => [spec.newImage, status?.phase]));
    return items.find(({ spec, status }: any) => spec.newImage.endsWith('/web:1.5.0') && status?.phase === 'Pending')?.metadata
      .name as string;
  });
  console.log(await cluster.kubectl('get', 'updaterequests', '-n', 'shop'));
  return name;
}

async function approve({ bed: { cluster, registry }, ports, say }: Scene, name: string): Promise<void> {
  const { status, json } = await call(`http://127.0.0.1:${ports.api}/api/v1/updates/shop/${name}/approve`, { body: { approver: 'demo' } });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.updateRequest.status.phase, 'Completed', JSON.stringify(json));
  say(`approved: ${json.message}`);
  const web = await cluster.untilRolledOut(paths.web);
  assert.equal(web['spec'].template.spec.containers[0].image, registry.reference('shop/web', '1.5.0'));
  const items: any[] = await cluster.admin.list('/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb');
  const expected = `${registry.host}/shop/web@${await registry.digestOf('shop/web', '1.5.0')}`;
  const running = items.filter(({ metadata }: any) => metadata.deletionTimestamp === undefined);
  assert.deepEqual(
    running.map(({ status }: any) => status.containerStatuses[0].imageID),
    running.map(() => expected),
  );
  say(`shop/web is rolled out: ${running.length} pods run ${expected.slice(0, expected.indexOf('sha256:') + 13)}…`);
}

async function rejected({ bed: { cluster, registry }, ports, say }: Scene): Promise<void> {
  say('push shop/web:1.6.0, reject it, push it once more');
  await registry.push('shop/web', '1.6.0');
  const api = `http://127.0.0.1:${ports.api}/api/v1/updates`;
  const item = await cluster.until('a request for web 1.6.0 waits', async () => {
    return (await call(`${api}?phase=Pending`)).json.find(({ newImage }: any) => newImage.endsWith('/web:1.6.0'));
  });
  const answer = await call(`${api}/shop/${item.name}/reject`, { body: { approver: 'demo', reason: 'not before the sale' } });
  assert.equal(answer.json.updateRequest.status.phase, 'Rejected', answer.text);
  await registry.push('shop/web', '1.6.0', { salt: 'again' });
  await registry.push('shop/web', '1.6.1');
  await cluster.until('a request for web 1.6.1 waits', async () => {
    return (await call(`${api}?phase=Pending`)).json.some(({ newImage }: any) => newImage.endsWith('/web:1.6.1'));
  });
  const again = (await call(api)).json.filter(({ newImage }: any) => newImage.endsWith('/web:1.6.0'));
  assert.equal(again.length, 1, 'what was rejected is not offered again');
  say('1.6.0 stays rejected, 1.6.1 is offered');
}
