import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readManifest } from './manifest.ts';
import { mediaTypeOf } from './media-type.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const listType = 'application/vnd.docker.distribution.manifest.list.v2+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const dockerType = 'application/vnd.docker.distribution.manifest.v2+json';
const schema1Type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

const bodies = [
  // title, content type, body, outcome
  ['an index', indexType, '{"schemaVersion":2,"manifests":[]}', 'index'],
  ['an index without a type', '', '{"schemaVersion":2,"manifests":[]}', 'index'],
  ['an index as plain JSON', 'application/json', '{"schemaVersion":2,"manifests":[]}', 'index'],
  ['an index as text', 'text/plain; charset=utf-8', '{"schemaVersion":2,"manifests":[]}', 'index'],
  ['a list of Docker', listType, '{"manifests":[]}', 'index'],
  ['a manifest as bytes', 'application/octet-stream', '{"schemaVersion":2,"config":{}}', 'image'],
  ['a manifest of Docker', dockerType, '{"config":{}}', 'image'],
  ['a manifest that names its type', '', `{"mediaType":"${imageType}"}`, 'image'],
  ['a manifest that names its type in capitals', '', `{"mediaType":"${imageType.toUpperCase()}"}`, 'image'],
  ['a type with parameters', `${indexType}; charset=utf-8`, '{}', 'index'],
  ['a type in capitals', indexType.toUpperCase(), '{}', 'index'],
  ['another type than its header', imageType, `{"mediaType":"${indexType}","manifests":[]}`, 'disputed index'],
  ["Docker's word for the same", dockerType, `{"mediaType":"${imageType}","config":{}}`, 'disputed image'],
  ['a header that is none', 'text/html', `{"mediaType":"${imageType}","config":{}}`, 'image'],
  ['schema 1', schema1Type, '{"schemaVersion":1}', 'unsupported'],
  ['schema 1 in the body', 'application/json', `{"mediaType":"${schema1Type}"}`, 'unsupported'],
  ['schema 1 under another type', 'application/json', '{"schemaVersion":1,"config":{}}', 'unsupported'],
  ['an unknown type', indexType, '{"mediaType":"application/vnd.acme.thing+json","manifests":[]}', 'unsupported'],
  ['index and image at once', indexType, '{"manifests":[],"layers":[]}', 'broken'],
  ['index and configuration at once', imageType, '{"manifests":[],"config":{}}', 'broken'],
  ['a page', 'text/html', '<html></html>', 'broken'],
  ['nothing', indexType, '', 'broken'],
  ['an error', 'application/json', '{"errors":[]}', 'broken'],
  ['an array', indexType, '[]', 'broken'],
  ['members of the prototype', '', '{"__proto__":{"manifests":[]}}', 'broken'],
  ['a list that is none', '', '{"manifests":{}}', 'broken'],
  ['a type that is a number', '', '{"mediaType":5,"manifests":[]}', 'index'],
] as const;

describe('registry/manifest', () => {
  for (const [title, type, body, outcome] of bodies) {
    it(`a body with ${title} is ${outcome}`, () => {
      const found = readManifest({ headers: type === '' ? {} : { 'content-type': type }, body: Buffer.from(body) });
      assert.equal('form' in found ? `${found.isDisputed ? 'disputed ' : ''}${found.form}` : Object.keys(found)[0], outcome);
    });
  }

  it('answers for every body and header', () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(fc.constantFrom('mediaType', 'manifests', 'config', 'layers'), fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    const property = fc.property(fc.string(), bodies, (type, body) => {
      readManifest({ headers: { 'content-type': type }, body: Buffer.from(body) });
    });
    fc.assert(property, { interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false });
  });

  it('reads a header without its parameters', () => {
    assert.deepEqual([undefined, '', ' A/B ; c=d', 'a/b;'].map(mediaTypeOf), ['', '', 'a/b', 'a/b']);
  });
});
