import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { chartValues } from '../../build/chart/chart-values.ts';
import { chartRules } from '../../build/rbac.ts';
import { readLayer } from '../../src/config/layer.ts';
import { permissions } from '../../src/kubernetes/permissions.ts';
import { readPage } from './markdown.ts';

const folder = 'charts/headwind';
const readme = readPage(join(folder, 'README.md'));

function read(path: string): any {
  return load(readFileSync(path, 'utf8'));
}

describe('test/self/chart', () => {
  it('chart and program have one version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const chart = read(join(folder, 'Chart.yaml'));
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  });

  it('each right that the operator needs is in exactly one part of the rules', () => {
    const { viewer, approver, admin, ...parts } = chartRules();
    assert.ok(viewer && approver && admin);
    const granted = Object.values(parts).flatMap((rules) =>
      rules.flatMap(({ apiGroups, resources, verbs }) => resources.map((resource) => `${apiGroups[0]}/${resource} ${verbs.join(' ')}`)),
    );
    const needed = permissions.map(({ group, resource, verbs }) => `${group}/${resource} ${verbs.join(' ')}`);
    assert.deepEqual(granted.toSorted(), needed.toSorted());
  });

  it('values.yaml says what the table says', () => {
    const values = read(join(folder, 'values.yaml'));
    for (const { path, default: value } of chartValues) {
      const found = path.split('.').reduce((node, key) => node?.[key], values);
      assert.deepEqual(found, value, path);
    }
  });

  it('presets set only values that there are', () => {
    const paths = (node: object, at: string): string[] =>
      Object.entries(node).flatMap(([key, value]) => (typeof value === 'object' ? paths(value, `${at}${key}.`) : [`${at}${key}`]));
    const known = new Set(chartValues.map(({ path }) => path));
    assert.deepEqual(
      paths(read(join(folder, 'presets/kube-autorollout.yaml')), '').filter((path) => !known.has(path)),
      [],
    );
  });

  it('the readme links only to files that exist', () => {
    const links = [...readme.text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => join(dirname(readme.path), target));
    assert.ok(links.length > 1);
    assert.deepEqual(
      links.filter((path) => !existsSync(path)),
      [],
    );
  });

  it('the example of the readme is a configuration, but for what the chart makes of Secrets', async () => {
    const block = readme.blocks.find(({ language }) => language === 'yaml')!;
    const { config } = load(block.text) as { config: { registries: { secret: { token?: string; key?: string } }[] } };
    for (const { secret } of config.registries) if (secret.key !== undefined) secret.token = 'x';
    const result = await readLayer(JSON.stringify(config), { source: 'readme', variables: {}, isFile: true });
    assert.deepEqual('mistakes' in result ? result.mistakes : [], []);
  });
});
