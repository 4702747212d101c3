import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { maximumHints } from '../core/delivery.ts';
import type { PushHint } from '../core/push-hint.ts';
import { parseRegistryDelivery } from './registry.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const target = { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 856, repository: 'team/app', tag: '1.4.2' };
const event = (changes: object = {}): object => ({
  id: '0b0a',
  timestamp: '2026-01-15T10:00:00Z',
  action: 'push',
  target,
  request: { id: 'r1', addr: '10.0.0.9:5123', host: 'reg.example.com', method: 'PUT' },
  actor: { name: 'ci' },
  ...changes,
});
const events = (...list: unknown[]): object => ({ events: list });
const none = (): undefined => undefined;

function show({ registry, repository, tag, digest: hash }: PushHint): string {
  return `${registry}/${repository}:${tag}${hash === undefined ? '' : '@'}`;
}

/** hints, ignored, malformed */
const envelopes: readonly [title: string, body: unknown, hints: string[], ignored: number, malformed: number][] = [
  ['a push of a tag', events(event()), ['reg.example.com/team/app:1.4.2@'], 0, 0],
  [
    'no request: the host of the URL',
    events(event({ request: undefined, target: { ...target, url: 'https://reg.example.com:5443/v2/x' } })),
    ['reg.example.com:5443/team/app:1.4.2@'],
    0,
    0,
  ],
  ['an empty request', events(event({ request: {} })), ['docker.io/team/app:1.4.2@'], 0, 0],
  [
    'no host anywhere, one in the name',
    events(event({ request: null, target: { ...target, repository: 'ghcr.io/acme/app' } })),
    ['ghcr.io/acme/app:1.4.2@'],
    0,
    0,
  ],
  [
    'a private registry is not Docker Hub',
    events(event({ request: { host: 'registry:5000' }, target: { ...target, repository: 'acme/app' } })),
    ['registry:5000/acme/app:1.4.2@'],
    0,
    0,
  ],
  ['a host without dot is no path', events(event({ request: { host: 'registry' } })), ['registry/team/app:1.4.2@'], 0, 0],
  [
    'a name without slash stays as it is',
    events(event({ target: { ...target, repository: 'app' } })),
    ['reg.example.com/app:1.4.2@'],
    0,
    0,
  ],
  [
    'capitals',
    events(event({ request: { host: 'REG.Example.com' }, target: { ...target, repository: 'Team/App', tag: 'V1' } })),
    ['reg.example.com/team/app:V1@'],
    0,
    0,
  ],
  [
    'only what is required, and the tag',
    events({ action: 'push', target: { repository: 'team/app', tag: '1' } }),
    ['docker.io/team/app:1'],
    0,
    0,
  ],
  ['a digest that is none', events(event({ target: { ...target, digest: 'sha256:beef' } })), ['reg.example.com/team/app:1.4.2'], 0, 0],
  ['sizes as floats', events(event({ target: { ...target, size: 8.56e2 } })), ['reg.example.com/team/app:1.4.2@'], 0, 0],
  ['a pull', events(event({ action: 'pull' })), [], 1, 0],
  [
    'mount and delete',
    events(event({ action: 'mount' }), event({ action: 'delete', target: { repository: 'team/app', tag: '1' } })),
    [],
    2,
    0,
  ],
  ['a layer', events(event({ target: { mediaType: 'application/octet-stream', digest, repository: 'team/app' } })), [], 1, 0],
  ['an empty tag', events(event({ target: { ...target, tag: '' } })), [], 1, 0],
  ['no events', events(), [], 0, 0],
  ['equal pushes', events(event({ id: '1' }), event({ id: '2' })), ['reg.example.com/team/app:1.4.2@'], 0, 0],
  [
    'a broken event among others',
    events(event(), { action: 'push' }, 7, null, event({ target: { ...target, tag: '1.4.3' } })),
    ['reg.example.com/team/app:1.4.2@', 'reg.example.com/team/app:1.4.3@'],
    0,
    3,
  ],
  ['only broken ones', events({ action: 'push' }), [], 0, 1],
  ['a host that is none', events(event({ request: { host: 'http://reg/x y' } })), [], 0, 1],
];

const others: readonly [title: string, body: unknown, format: string, hint: string | undefined, headers?: Record<string, string>][] = [
  ['flat', { repository: 'ghcr.io/acme/app', tag: '1.4.2' }, 'flat', 'ghcr.io/acme/app:1.4.2'],
  ['flat without host', { repository: 'myimage', tag: 'v1.2.3' }, 'flat', 'docker.io/library/myimage:v1.2.3'],
  [
    'flat: image wins',
    { repository: 'acme/app', tag: '1.4.2', image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app' },
    'flat',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app:1.4.2',
  ],
  [
    'flat: image with a tag of its own',
    { repository: 'acme/app', tag: '1.4.2', image: 'ghcr.io/acme/app:Latest' },
    'flat',
    'ghcr.io/acme/app:1.4.2',
  ],
  ['flat with digest', { repository: 'GHCR.io/Acme/App', tag: 'RC1', digest }, 'flat', 'ghcr.io/acme/app:RC1@'],
  ['flat: localhost with a port', { repository: 'localhost:5000/app', tag: '1' }, 'flat', 'localhost:5000/app:1'],
  ['flat: an address', { repository: 'https://GHCR.io/Acme/App', tag: 'RC1' }, 'flat', 'ghcr.io/acme/app:RC1'],
  ['flat: image is an address', { repository: 'x', tag: '1', image: 'http://reg:5000/acme/app:Latest' }, 'flat', 'reg:5000/acme/app:1'],
  ['flat: a chart', { repository: 'oci://ghcr.io/acme/chart', tag: '1' }, 'flat', 'ghcr.io/acme/chart:1'],
  ['flat: nothing but a scheme', { repository: 'https://', tag: '1' }, 'flat', 'the image reference is not valid'],
  ['flat: an empty tag', { repository: 'acme/app', tag: '' }, 'flat', undefined],
  ['flat: a tag that is no text', { repository: 'acme/app', tag: 1.1 }, 'flat', 'tag is not a text'],
  ['flat: an impossible name', { repository: 'a b', tag: '1' }, 'flat', 'the image reference is not valid'],
  ['flat without tag is unknown', { repository: 'acme/app' }, 'unknown_format', undefined],
  ['Docker Hub', { push_data: { tag: '1' }, repository: { repo_name: 'acme/app' } }, 'dockerhub', 'docker.io/acme/app:1'],
  ['Docker Hub without name', { push_data: { tag: '1' }, repository: {} }, 'dockerhub', 'repository.repo_name is missing'],
  [
    'Aliyun is not Docker Hub',
    { push_data: { tag: '1' }, repository: { name: 'app', namespace: 'acme', region: 'cn-hangzhou' } },
    'unknown_format',
    undefined,
  ],
  ['native', { name: 'ghcr.io/acme/app', tag: '1.4.2' }, 'native', 'ghcr.io/acme/app:1.4.2'],
  ['native with host', { name: 'acme/app', host: 'reg:5000', tag: '1.4.2', digest }, 'native', 'reg:5000/acme/app:1.4.2@'],
  ['native with an address as host', { name: 'acme/app', host: 'https://reg:5000', tag: '1' }, 'native', 'reg:5000/acme/app:1'],
  ['native in a list', [{ name: 'ghcr.io/acme/app', tag: '1' }], 'native', 'ghcr.io/acme/app:1'],
  ['generic', { images: [{ image: 'ghcr.io/acme/app', tag: '1.4.2', digest }] }, 'generic', 'ghcr.io/acme/app:1.4.2@'],
  ['generic reference', { ref: `ghcr.io/Acme/app:V1@${digest}` }, 'generic', 'ghcr.io/acme/app:V1@'],
  ['generic reference with a scheme', { ref: `docker://ghcr.io/Acme/App:V1@${digest}` }, 'generic', 'ghcr.io/acme/app:V1@'],
  ['generic reference by digest', { ref: `ghcr.io/acme/app@${digest}` }, 'generic', undefined],
  [
    'a Gitea delivery',
    { action: 'created', repository: 'x', tag: '1' },
    'unknown_format',
    undefined,
    { 'x-gitea-event': 'package', 'x-github-event': 'package' },
  ],
  ['a CloudEvent', { specversion: '1.0', name: 'x', tag: '1' }, 'unknown_format', undefined],
  ['Event Grid', [{ eventType: 'Microsoft.ContainerRegistry.ImagePushed' }], 'unknown_format', undefined],
  ['Quay', { repository: 'acme/app', docker_url: 'quay.io/acme/app', updated_tags: ['1'] }, 'unknown_format', undefined],
  ['an empty object', {}, 'unknown_format', undefined],
  ['an empty list', [], 'unknown_format', undefined],
  ['events that are no list', { events: {} }, 'unknown_format', undefined],
];

describe('webhooks/registry', () => {
  for (const [title, body, hints, ignored, malformed] of envelopes) {
    it(`${title}: ${hints.join(' ') || 'nothing'}`, () => {
      const delivery = parseRegistryDelivery(body, none);
      assert.deepEqual(
        [delivery.hints.map(show), delivery.ignored, delivery.malformed, delivery.format],
        [hints, ignored, malformed, 'registry'],
      );
    });
  }

  for (const [title, body, format, outcome, headers] of others) {
    it(`${title} is ${format}: ${outcome ?? 'nothing'}`, () => {
      const delivery = parseRegistryDelivery(body, (name) => headers?.[name]);
      assert.deepEqual([delivery.format, delivery.hints.map(show)[0] ?? delivery.problem], [format, outcome]);
    });
  }

  it('keeps the id of the event', () => {
    assert.deepEqual(
      parseRegistryDelivery(events(event()), none).hints.map(({ deliveryId, provider }) => [provider, deliveryId]),
      [['registry', '0b0a']],
    );
  });

  it('uses the first thousand distinct pushes of a batch of ten thousand', () => {
    const batch = Array.from({ length: 10_000 }, (_, index) => event({ target: { ...target, tag: `1.0.${Math.floor(index / 2)}` } }));
    const { hints, ignored } = parseRegistryDelivery({ events: batch }, none);
    assert.deepEqual([hints.length, hints.at(-1)?.tag, ignored], [maximumHints, '1.0.999', 8001]);
  });

  it('is total, and gives only hints in lower case with a tag', () => {
    const name = fc.constantFrom(
      'events',
      'action',
      'target',
      'repository',
      'tag',
      'push_data',
      'image',
      'images',
      'ref',
      'name',
      'host',
      'request',
    );
    const leaf = fc.oneof(fc.constantFrom('push', 'Acme/App', '1.0', 'reg:5000', '@', ':', ''), fc.jsonValue());
    const { body } = fc.letrec<{ body: unknown }>((tie) => ({
      body: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('body'), { maxLength: 3 }), fc.dictionary(name, tie('body'), { maxKeys: 4 })),
    }));
    fc.assert(
      fc.property(body, (value) => {
        for (const hint of parseRegistryDelivery(value, none).hints) {
          assert.equal(hint.registry + hint.repository, (hint.registry + hint.repository).toLowerCase());
          assert.notEqual(hint.tag, '');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
