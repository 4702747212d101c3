import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { makeStateFolder, removeStateFolder } from '../cluster/processes.ts';
import { chart, render, Rendered, runHelm, type RenderOptions } from './render.ts';

const usual: RenderOptions = { release: 'headwind', namespace: 'headwind-system' };

function shipped(...files: readonly string[]): Rendered {
  const folder = join(import.meta.dirname, '../../deploy/k8s');
  return new Rendered(files.flatMap((file): any[] => loadAll(readFileSync(join(folder, file), 'utf8'))));
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Every single thing that a list of rules grants. */
function grants(rules: readonly Rule[]): string[] {
  return rules.flatMap(grantsOf).toSorted();
}

function grantsOf({ apiGroups, resources, verbs, resourceNames = ['*'] }: Rule): string[] {
  const whole = apiGroups.flatMap((group) => resources.map((resource) => `${resource}.${group}`));
  return whole.flatMap((resource) => verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${resource} ${name}`)));
}

describe('test/chart/manifests', () => {
  for (const [kind, name] of [
    ['ClusterRole', 'headwind'],
    ['Role', 'headwind'],
    ['ClusterRole', 'headwind-viewer'],
    ['ClusterRole', 'headwind-approver'],
    ['ClusterRole', 'headwind-admin'],
  ] as const) {
    it(`${kind} ${name} grants what deploy/k8s/rbac.yaml grants`, async () => {
      const [ours, theirs] = [await render({}, usual), shipped('rbac.yaml')];
      assert.deepEqual(grants(ours.one(kind, name)?.['rules']), grants(theirs.one(kind, name)?.['rules']));
    });
  }

  it('the custom resource is that of deploy/k8s', async () => {
    const [ours, theirs] = [await render({}, usual), shipped('crds/updaterequest.yaml')];
    assert.deepEqual(ours.one('CustomResourceDefinition')?.['spec'], theirs.one('CustomResourceDefinition')?.['spec']);
  });

  it('the checks of annotations are those of deploy/k8s, by their name too', async () => {
    const [ours, theirs] = [await render({ admissionPolicy: { enabled: true } }, usual), shipped('validating-admission-policy.yaml')];
    for (const kind of ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding']) {
      assert.deepEqual(ours.one(kind)?.['spec'], theirs.one(kind)?.['spec']);
    }
  });

  it('the container runs as in deploy/k8s: arguments, ports, probes, limits, security', async () => {
    const [ours, theirs] = [await render({}, usual), shipped('deployment.yaml')];
    const named = ours.container.ports.map(({ name, containerPort }: any) => ({ name, containerPort }));
    assert.deepEqual(named, theirs.container.ports);
    for (const key of ['args', 'startupProbe', 'livenessProbe', 'readinessProbe', 'resources', 'securityContext', 'imagePullPolicy']) {
      assert.deepEqual(ours.container[key], theirs.container[key], key);
    }
    for (const key of ['securityContext', 'serviceAccountName', 'terminationGracePeriodSeconds']) {
      assert.deepEqual(ours.pod[key], theirs.pod[key], key);
    }
  });

  it('the Services are those of deploy/k8s, and one for all ports', async () => {
    const portsOf = (all: Rendered) =>
      Object.fromEntries(
        all
          .all('Service')
          .map(({ metadata, spec }) => [metadata['name'], spec.ports.map(({ port, targetPort }: any) => [port, targetPort])]),
      );
    const { headwind, ...split } = portsOf(await render({}, usual));
    assert.deepEqual(split, portsOf(shipped('service.yaml')));
    assert.equal(headwind.length, 3);
  });

  it('the chart has no fault for helm lint, and its package renders the same', async (t) => {
    const folder = makeStateFolder('package');
    t.after(() => removeStateFolder(folder));
    assert.match(await runHelm(['lint', '--strict', chart]), /0 chart\(s\) failed/);
    await runHelm(['package', chart, '-d', folder]);
    const packaged = await runHelm(['template', 'headwind', join(folder, 'headwind-0.1.0.tgz')]);
    assert.equal(packaged, await runHelm(['template', 'headwind', chart]));
  });
});
