import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readLayer } from '../../src/config/layer.ts';

const blocks = /^( *)```ya?ml\n([\s\S]*?)^\1```$/gm;
/** Kubernetes objects, and parts of them. */
const others = /^(apiVersion|kind|metadata|spec|containers|data|annotations):/m;
/** Any variable has a value. */
const variables = new Proxy<Record<string, string>>(
  {},
  { get: () => 'x', has: () => true, getOwnPropertyDescriptor: () => ({ configurable: true, value: 'x' }) },
);

function examples(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(blocks)]
    .map(([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .filter((block) => !others.test(block));
}

const pages = ['configuration', 'registries', 'kube-autorollout', 'credentials'].flatMap((name) => globSync(`docs/${name}.md`));

describe('test/self/config-docs', () => {
  for (const page of pages) {
    for (const [index, example] of examples(page).entries()) {
      it(`example ${index + 1} of ${page} is a configuration that is accepted`, async () => {
        const result = await readLayer(example, { source: page, variables, isFile: true });
        assert.deepEqual('mistakes' in result ? result.mistakes : [], []);
      });
    }
  }

  it('there are examples', () => assert.ok(pages.flatMap((page) => examples(page)).length >= 3));
});
