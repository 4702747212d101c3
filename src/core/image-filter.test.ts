import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseImageFilter } from './image-filter.ts';
import { parseImageReference } from './image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('core/image-filter', () => {
  const table: readonly (readonly [string, string, string, boolean])[] = [
    // images, container, image, means it
    ['', 'web', 'nginx:1.25', true],
    [' , ,', 'web', 'nginx:1.25', true],
    ['web', 'web', 'nginx:1.25', true],
    ['web', 'webserver', 'nginx:1.25', false],
    ['Web', 'web', 'nginx:1.25', false],
    ['api, web', 'web', 'nginx:1.25', true],
    [' web ,', 'web', 'nginx:1.25', true],
    ['api', 'web', 'nginx:1.25', false],
    // the image: last component, without registry, as written, canonical
    ['nginx', 'web', 'nginx:1.25', true],
    ['nginx', 'web', 'docker.io/library/nginx:1.25', true],
    ['nginx', 'web', 'ghcr.io/acme/nginx:1.25', true],
    ['nginx', 'web', 'ghcr.io/nginx/app:1.25', false],
    ['nginx', 'web', 'nginx-unprivileged:1.25', false],
    ['library/nginx', 'web', 'nginx:1.25', true],
    ['docker.io/library/nginx', 'web', 'nginx:1.25', true],
    ['docker.io/nginx', 'web', 'docker.io/nginx:1.25', true],
    ['acme/app', 'web', 'ghcr.io/acme/app:1', true],
    ['acme/app', 'web', 'ghcr.io/other/acme/app:1', false],
    ['ghcr.io/acme/app', 'web', 'ghcr.io/acme/app:1', true],
    ['ghcr.io/acme/app', 'web', 'docker.io/acme/app:1', false],
    ['GHCR.io/acme/app', 'web', 'GHCR.io/acme/app:1', true],
    ['ghcr.io/acme/app', 'web', 'GHCR.io/acme/app:1', true],
    ['localhost:5000/app', 'web', 'localhost:5000/app:1', true],
    ['registry.example.com:443/app', 'web', 'registry.example.com:443/app:1', true],
    ['registry.example.com/app', 'web', 'registry.example.com:443/app:1', true],
    // a tag or digest in an item is ignored
    ['nginx:1.20', 'web', 'nginx:1.25', true],
    [`nginx@${digest}`, 'web', 'nginx:1.25', true],
    ['ghcr.io/acme/app:v1', 'web', 'ghcr.io/acme/app:v2', true],
    // globs
    ['*', 'web', 'nginx:1.25', true],
    ['web-*', 'web-1', 'nginx:1.25', true],
    ['web-?', 'web-12', 'nginx:1.25', false],
    ['ghcr.io/*', 'web', 'ghcr.io/acme/app:1', true],
    ['ghcr.io/*', 'web', 'docker.io/acme/app:1', false],
    ['acme/*', 'web', 'ghcr.io/acme/app:1', true],
    ['*/app', 'web', 'ghcr.io/acme/app:1', true],
    ['ng*', 'web', 'ghcr.io/acme/nginx:1', true],
    // only * and ? are special
    ['[w]eb', 'web', 'nginx:1.25', false],
    ['{web,api}', 'web', 'nginx:1.25', false],
    ['we\\b', 'web', 'nginx:1.25', false],
  ];
  for (const [images, container, image, means] of table) {
    it(`"${images}" ${means ? 'means' : 'does not mean'} ${container} with ${image}`, () => {
      const reference = parseImageReference(image);
      if ('invalid' in reference) throw new Error(reference.invalid);
      assert.equal(parseImageFilter(images)(container, reference), means);
    });
  }

  it('an item that is too long to be a glob means nothing but the container of that very name', () => {
    const reference = parseImageReference('nginx:1.25');
    if ('invalid' in reference) throw new Error(reference.invalid);
    const filter = parseImageFilter('*'.repeat(300));
    assert.equal(filter('web', reference), false);
    assert.equal(filter('*'.repeat(300), reference), true);
  });
});
