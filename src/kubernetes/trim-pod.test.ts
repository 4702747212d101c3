import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRecord } from './raw.ts';
import { trimPod } from './trim-pod.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** As the API server sends it, with much that nobody reads. */
function aRawPod(overrides: { metadata?: object; spec?: object; status?: object } = {}): any {
  return {
    metadata: {
      name: 'web-1',
      uid: 'uid-web-1',
      labels: { app: 'web', 'controller-revision-hash': 'web-b' },
      ownerReferences: [
        { kind: 'Backup', uid: 'uid-backup' },
        { kind: 'StatefulSet', uid: 'uid-web', controller: true },
      ],
      ...overrides.metadata,
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'web', image: 'nginx:1.25' }], ...overrides.spec },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        { name: 'web', image: 'docker.io/library/other:9', imageID: `docker.io/library/other@${digest}`, state: { running: {} } },
      ],
      ...overrides.status,
    },
  };
}

const containerStatus = (status: object) => ({ status: { containerStatuses: [{ name: 'web', ...status }] } });

describe('kubernetes/trim-pod', () => {
  it('keeps what tells which image runs where, and nothing else', () => {
    assert.deepEqual(trimPod(aRawPod()), {
      name: 'web-1',
      uid: 'uid-web-1',
      ownerUid: 'uid-web',
      revisionHash: 'web-b',
      node: 'node-1',
      isReady: true,
      containers: [{ container: 'web', image: 'nginx:1.25', digest, isConfig: false, waiting: undefined }],
      pullSecretNames: [],
    });
  });

  it('keeps the names of the pull secrets that it lists', () => {
    const raw = aRawPod({ spec: { imagePullSecrets: [{ name: 'injected' }, {}, null, { name: 'regcred' }] } });
    assert.deepEqual(trimPod(raw)?.pullSecretNames, ['injected', 'regcred']);
  });

  it('reads init containers and native sidecars, but no ephemeral ones', () => {
    const raw = aRawPod({
      spec: {
        initContainers: [
          { name: 'migrate', image: 'acme/migrate:3' },
          { name: 'proxy', image: 'envoy:1', restartPolicy: 'Always' },
        ],
        ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
      },
      status: {
        initContainerStatuses: [
          { name: 'proxy', imageID: `docker-pullable://envoy@${digest}` },
          { name: 'migrate', imageID: digest, state: { terminated: { reason: 'Completed' } } },
        ],
      },
    });
    assert.deepEqual(
      trimPod(raw)?.containers.map(({ container, image, digest: found, isConfig }) => [container, image, found, isConfig]),
      [
        ['web', 'nginx:1.25', digest, false],
        ['migrate', 'acme/migrate:3', digest, true],
        ['proxy', 'envoy:1', digest, false],
      ],
    );
  });

  const waiting: { title: string; status: object; says: string }[] = [
    {
      title: 'starting',
      status: { imageID: '', state: { waiting: { reason: 'ContainerCreating' } } },
      says: 'no digest, ContainerCreating',
    },
    {
      title: 'not pulled',
      status: { imageID: '', state: { waiting: { reason: 'ImagePullBackOff' } } },
      says: 'no digest, ImagePullBackOff',
    },
    {
      title: 'crashing',
      status: { imageID: digest, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      says: 'digest, CrashLoopBackOff',
    },
    { title: 'waiting without a reason', status: { state: { waiting: {} } }, says: 'no digest, Waiting' },
    { title: 'running', status: { imageID: digest, state: { running: {} } }, says: 'digest, runs' },
    { title: 'with an odd state', status: { imageID: 7, state: 'running' }, says: 'no digest, runs' },
  ];
  for (const { title, status, says } of waiting) {
    it(`a container that is ${title}: ${says}`, () => {
      const [container] = trimPod(aRawPod(containerStatus(status)))?.containers ?? [];
      assert.equal(`${container?.digest === undefined ? 'no digest' : 'digest'}, ${container?.waiting ?? 'runs'}`, says);
    });
  }

  const ready: { title: string; conditions: unknown; isReady: boolean }[] = [
    {
      title: 'Ready=True',
      conditions: [
        { type: 'Initialized', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
      isReady: true,
    },
    { title: 'Ready=False', conditions: [{ type: 'Ready', status: 'False' }], isReady: false },
    { title: 'no conditions', conditions: null, isReady: false },
  ];
  for (const { title, conditions, isReady } of ready) {
    it(`${title}: ${isReady ? 'ready' : 'not ready'}`, () => {
      assert.equal(trimPod(aRawPod({ status: { conditions } }))?.isReady, isReady);
    });
  }

  const left: { title: string; raw: any }[] = [
    { title: 'terminating', raw: aRawPod({ metadata: { deletionTimestamp: '2026-01-15T10:00:00Z' } }) },
    { title: 'succeeded', raw: aRawPod({ status: { phase: 'Succeeded' } }) },
    { title: 'failed', raw: aRawPod({ status: { phase: 'Failed' } }) },
    { title: 'without a controller', raw: aRawPod({ metadata: { ownerReferences: [{ uid: 'uid-backup' }] } }) },
    { title: 'without owners', raw: aRawPod({ metadata: { ownerReferences: undefined } }) },
    { title: 'without a uid', raw: aRawPod({ metadata: { uid: undefined } }) },
  ];
  for (const { title, raw } of left) it(`a pod that is ${title} is left out`, () => assert.equal(trimPod(raw), undefined));

  it('any JSON gives a pod or nothing', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(null, 1, '', [], {}, [null], [{}]));
    const member = (value: unknown) => fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: odd });
    const { metadata, spec, status } = aRawPod();
    const part = (value: object) =>
      fc.oneof(odd, fc.record(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, member(inner)])), { requiredKeys: [] }));
    fc.assert(
      fc.property(fc.record({ metadata: part(metadata), spec: part(spec), status: part(status) }), (raw) => {
        const pod = trimPod(raw);
        assert.ok(pod === undefined || (pod.name !== '' && pod.uid !== '' && pod.ownerUid !== '' && isRecord(pod)));
        for (const { container } of pod?.containers ?? []) assert.notEqual(container, '');
      }),
    );
  });
});
