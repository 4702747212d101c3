import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCommand } from '../../test/fakes/command-io.ts';
import type { RegistryCheck } from '../operator/check-registry.ts';
import { registryCommand, type RegistryCheckAnswer, type RegistryCheckQuestion } from './registry-check.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const fine: RegistryCheck = {
  image: 'reg.example/team/app:1.0.0',
  registry: 'reg.example',
  repository: 'team/app',
  reference: '1.0.0',
  ok: true,
  pullsAs: 'Deployment shop/web',
  forbidden: null,
  transport: ['HTTPS; the certificate is checked against the authorities of the system', 'through the proxy http://proxy:3128'],
  quotaRemaining: 76,
  coolDownSeconds: null,
  credentials: ['Secret shop/old', 'Secret shop/new', 'anonymous'],
  tried: [
    { operation: 'resolve', source: 'Secret shop/old', outcome: 'login', httpStatus: 401 },
    { operation: 'resolve', source: 'Secret shop/new', outcome: 'accepted', httpStatus: 200 },
    { operation: 'contents', source: 'Secret shop/new', outcome: 'accepted', httpStatus: 404 },
    { operation: 'tags', source: 'Secret shop/new', outcome: 'failed', httpStatus: null },
  ],
  digest,
  kind: 'index',
  platforms: ['linux/amd64', 'linux/arm64'],
  tags: { count: 120, complete: true },
  notes: ['PullSecretMissing: Secret shop/gone does not exist'],
  failures: [],
};
const broken: RegistryCheck = {
  ...fine,
  ok: false,
  failures: [{ operation: 'resolve', code: 'Unauthorized', message: 'It accepted no\u001b[2J credential.', advice: 'add a pull secret' }],
};

async function run(args: string, answer: RegistryCheckAnswer = { check: fine }) {
  const questions: RegistryCheckQuestion[] = [];
  const check = async (question: RegistryCheckQuestion): Promise<RegistryCheckAnswer> => {
    questions.push(question);
    return answer;
  };
  const found = await runCommand((io) => registryCommand({ check, io }), args.split(' ').filter(Boolean));
  return { ...found, question: questions[0] };
}

const ends: readonly (readonly [title: string, args: string, answer: RegistryCheckAnswer, code: number, stderr: RegExp])[] = [
  ['all answered', 'check nginx', { check: fine }, 0, /^$/],
  ['a failure', 'check nginx', { check: broken }, 1, /^$/],
  ['no image', 'check', { check: fine }, 2, /missing required argument/],
  ['a bad image', 'check Bad/Image', { check: fine }, 2, /invalid repository/],
  ['a bad tag', 'check nginx:-x', { check: fine }, 2, /invalid tag/],
  ['a bad workload', 'check nginx --as-workload web', { check: fine }, 2, /write <kind>\/<name>/],
  ['an unknown kind', 'check nginx --as-workload pod/web', { check: fine }, 2, /Deployment, StatefulSet/],
  ['a path as name', 'check nginx --as-workload deploy/..', { check: fine }, 2, /write <kind>\/<name>/],
  ['a namespace without a cluster', 'check nginx --no-cluster -n shop', { check: fine }, 2, /with --no-cluster there is none/],
  ['a workload without a cluster', 'check nginx --no-cluster --as-workload deploy/web', { check: fine }, 2, /there is none/],
  ['an unknown flag', 'check nginx --colour', { check: fine }, 2, /unknown option/],
  ['bad settings', 'check nginx', { failed: 'usage', message: 'HEADWIND_X: no' }, 2, /HEADWIND_X/],
  ['no cluster', 'check nginx', { failed: 'unreachable', message: 'ECONNREFUSED' }, 3, /ECONNREFUSED/],
  ['no rights', 'check nginx', { failed: 'forbidden', message: 'may not get' }, 4, /may not get/],
  ['no such workload', 'check nginx', { failed: 'refused', message: 'not found' }, 1, /not found/],
];

const questions: readonly (readonly [image: string, registry: string, repository: string, wanted: string])[] = [
  ['nginx', 'docker.io', 'library/nginx', 'latest'],
  ['reg:5000/app:2', 'reg:5000', 'app', '2'],
  [`reg:5000/app:2@${digest}`, 'reg:5000', 'app', digest],
  ['https://ghcr.io/acme/app:1', 'ghcr.io', 'acme/app', '1'],
  ['oci://ghcr.io/acme/chart:1', 'ghcr.io', 'acme/chart', '1'],
];

describe('cli/registry-check', () => {
  for (const [title, args, answer, code, stderr] of ends) {
    it(`${title} ends with ${code}`, async () => {
      const found = await run(args, answer);
      assert.equal(found.code, code, found.stderr);
      assert.match(found.stderr, stderr);
    });
  }

  for (const [image, registry, repository, wanted] of questions) {
    it(`reads ${image}`, async () => {
      const { question } = await run(`check ${image}`);
      assert.deepEqual([question?.reference.registry, question?.reference.repository, question?.wanted], [registry, repository, wanted]);
    });
  }

  it('hands on whose credentials count', async () => {
    const { question } = await run(
      'check nginx -n shop --as-workload deploy/web --kubeconfig /k --config-path /c --registry-insecure-hosts reg:5000',
    );
    assert.deepEqual([question?.namespace, question?.workload, question?.noCluster], ['shop', { kind: 'Deployment', name: 'web' }, false]);
    assert.deepEqual(question?.flags, { kubeconfig: '/k', 'config-path': '/c', 'registry-insecure-hosts': 'reg:5000' });
    assert.equal((await run('check nginx --no-cluster')).question?.noCluster, true);
  });

  it('prints a report for people', async () => {
    const { stdout } = await run('check nginx');
    assert.deepEqual(stdout.split('\n'), [
      'image        reg.example/team/app:1.0.0',
      'registry     reg.example',
      'reached by   HTTPS; the certificate is checked against the authorities of the system',
      '             through the proxy http://proxy:3128',
      'allowed      yes',
      'pulls as     Deployment shop/web',
      '',
      'CREDENTIAL        FOR        ANSWER                               HTTP',
      'Secret shop/old   digest     login refused                        401',
      'Secret shop/new   digest     accepted                             200',
      'Secret shop/new   contents   not found                            404',
      'Secret shop/new   tags       no answer that says anything of it   -',
      'anonymous         -          not needed or not reached            -',
      '',
      `digest      ${digest}`,
      'kind        index',
      'platforms   linux/amd64, linux/arm64',
      'tags        120',
      'quota       76 left',
      'cool-down   none',
      'note        PullSecretMissing: Secret shop/gone does not exist',
      '',
      'OK',
      '',
    ]);
  });

  it('says what failed and what to do, without control characters', async () => {
    const { stdout } = await run('check nginx', { check: broken });
    assert.ok(stdout.endsWith('\nFAILED Unauthorized: It accepted no?[2J credential.\n  to do: add a pull secret\n'), stdout);
  });

  it('prints JSON', async () => {
    assert.deepEqual(JSON.parse((await run('check nginx -o json', { check: broken })).stdout), broken);
  });
});
