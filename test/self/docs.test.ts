import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { anchorOf, readPage } from './markdown.ts';

const pages = [...globSync('*.md'), ...globSync('docs/**/*.md')];
const links = /\]\((?!https?:|#)([^)#]+)/g;
const anchors = /\]\((?!https?:)([^)#]*)#([^)]+)\)/g;
const paths = /`((?:src|test|docs|deploy|build|bench)\/[\w./-]+)`/g;

describe('test/self/docs', () => {
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    it(`${page} links only to files that exist`, () => {
      const broken = [...text.matchAll(links)].map(([, target = '']) => join(dirname(page), target)).filter((path) => !existsSync(path));
      assert.deepEqual(broken, []);
    });
    it(`${page} links only to headings that exist`, () => {
      const broken = [...text.matchAll(anchors)].filter(([, target, anchor = '']) => {
        const path = target ? join(dirname(page), target) : page;
        return !readPage(path).headings.map(anchorOf).includes(anchor);
      });
      assert.deepEqual(
        broken.map(([link]) => link),
        [],
      );
    });
    it(`${page} names only paths that exist`, () => {
      const missing = [...text.matchAll(paths)].map(([, path = '']) => path).filter((path) => !existsSync(path));
      assert.deepEqual(missing, []);
    });
  }

  it('the readme is short enough to be read', () => {
    assert.ok(readFileSync('README.md', 'utf8').split('\n').length <= 150);
  });
});
