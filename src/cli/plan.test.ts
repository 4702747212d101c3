import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { runCommand } from '../../test/fakes/command-io.ts';
import { managedWorkload } from '../compose/manifest-workload.ts';
import { readUnseenManifest } from '../compose/unseen-manifest.ts';
import type { PlannedContainer } from '../operator/plan-once.ts';
import { planCommand, type PlanQuestion, type PlanReply } from './plan.ts';

const row: PlannedContainer = {
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  container: 'web',
  image: 'nginx:1.25',
  current: '1.25',
  candidate: '1.26',
  digest: 'sha256:1',
  action: 'ask',
  reason: 'NewerTag',
  message: '1.26 is newer',
  notes: ['by a push only'],
};
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {headwind.sh/policy: minor}}
spec: {template: {spec: {containers: [{name: web, image: "nginx:1.25"}]}}}
`;

async function run(args: string, reply: PlanReply = { rows: [row], complaints: [] }, files: Record<string, string> = {}) {
  const questions: PlanQuestion[] = [];
  const plan = async (question: PlanQuestion): Promise<PlanReply> => {
    questions.push(question);
    return reply;
  };
  const readWorkload: Parameters<typeof planCommand>[0]['readWorkload'] = ({ object }, namespace) => managedWorkload(object, namespace);
  const readUnread = ({ object }: { readonly object: unknown }) => readUnseenManifest(object, 'default');
  const found = await runCommand((io) => planCommand({ plan, readWorkload, readUnread, io }), args.split(' ').filter(Boolean), files);
  return { ...found, questions };
}

const unknown: PlannedContainer = { ...row, namespace: 'a', action: 'unknown', reason: 'RegistryUnavailable' };
const ends: readonly (readonly [title: string, args: string, reply: PlanReply, code: number, stderr: RegExp])[] = [
  ['planned', '', { rows: [row], complaints: [] }, 0, /^$/],
  ['nothing managed', '', { rows: [], complaints: [] }, 0, /no managed workloads/],
  ['a registry is silent', '', { rows: [unknown], complaints: [] }, 1, /^$/],
  ['a kind is forbidden', '', { rows: [row], complaints: ['cronjobs is forbidden'] }, 1, /cronjobs is forbidden/],
  ['bad settings', '', { failed: 'usage', message: 'HEADWIND_X: no' }, 2, /HEADWIND_X/],
  ['no cluster', '', { failed: 'unreachable', message: 'ECONNREFUSED' }, 3, /ECONNREFUSED/],
  ['no rights', '', { failed: 'forbidden', message: 'may not list' }, 4, /may not list/],
  ['a bad selector', '-l =', { failed: 'refused', message: 'unable to parse' }, 1, /unable to parse/],
  ['-n and -A', '-n shop -A', { rows: [], complaints: [] }, 2, /contradict/],
  ['-f and -l', '-f web.yaml -l app=web', { rows: [], complaints: [] }, 2, /with -f there is none/],
  ['a file that is not there', '-f none.yaml', { rows: [], complaints: [] }, 2, /cannot read none\.yaml/],
  ['an unknown flag', '--colour', { rows: [], complaints: [] }, 2, /unknown option/],
];

describe('cli/plan', () => {
  for (const [title, args, reply, code, stderr] of ends) {
    it(`${title} ends with ${code}`, async () => {
      const found = await run(args, reply);
      assert.equal(found.code, code, found.stderr);
      assert.match(found.stderr, stderr);
    });
  }

  it('hands the scope on', async () => {
    const { questions } = await run('-n shop -l app=web --kubeconfig /k --config-path /c --registry-insecure-hosts reg:5000');
    const flags = { kubeconfig: '/k', 'config-path': '/c', 'registry-insecure-hosts': 'reg:5000' };
    assert.deepEqual(questions, [{ namespace: 'shop', allNamespaces: false, selector: 'app=web', flags, manifests: undefined }]);
  });

  it('plans managed workloads of manifests, without a cluster', async () => {
    const files = {
      'web.yaml': `${manifest}---\nkind: Service\napiVersion: v1\n`,
      'plain.yaml': manifest.replace('headwind.sh/policy', 'other'),
    };
    const { questions } = await run('-f web.yaml -f plain.yaml -n shop', undefined, files);
    assert.deepEqual(
      questions[0]?.manifests?.map(({ kind, namespace, name, slots }) => [kind, namespace, name, slots[0]?.image]),
      [['Deployment', 'shop', 'web', 'nginx:1.25']],
    );
  });

  it('says of annotations that nobody reads that they have no effect', async () => {
    const files = {
      'web.yaml': manifest.replace('Deployment', 'ReplicaSet'),
      'none.yaml': manifest.replace('headwind.sh/policy', 'headwind.sh/adopt'),
    };
    const { code, stderr, questions } = await run('-f web.yaml -f none.yaml', { rows: [], complaints: [] }, files);
    assert.equal(code, 0);
    assert.match(stderr, /^web\.yaml:1: ReplicaSet web: annotations headwind\.sh\/\* have no effect here: .*\nno managed workloads: .*\n$/);
    assert.deepEqual(questions[0]?.manifests, []);
  });

  it('prints a table in order, JSON and YAML', async () => {
    const reply = { rows: [row, unknown], complaints: [] };
    const { stdout } = await run('', reply);
    assert.deepEqual(stdout.split('\n'), [
      'NAMESPACE   KIND         NAME   CONTAINER   CURRENT   CANDIDATE   ACTION    REASON                MESSAGE',
      'a           Deployment   web    web         1.25      1.26        unknown   RegistryUnavailable   1.26 is newer; by a push only',
      'shop        Deployment   web    web         1.25      1.26        ask       NewerTag              1.26 is newer; by a push only',
      '',
    ]);
    assert.deepEqual(JSON.parse((await run('-o json', reply)).stdout), [unknown, row]);
    assert.deepEqual(load((await run('-o yaml', reply)).stdout), [unknown, row]);
  });
});
