import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ComparedContents, compareDigests, type DigestComparisonInput, type DigestOutcome, type Running } from './compare-digests.ts';

const digest = (name: string): string => `sha256:${name}`;
const amd = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm64' };

/** `amd:a arm:b` is an index, `a` an image with the configuration `a-config`. */
function contents(text: string): ComparedContents {
  if (!text.includes(':')) {
    return { kind: 'image', images: [{ digest: digest(text), os: undefined, architecture: undefined }], config: digest(`${text}-config`) };
  }
  const images = text.split(' ').map((entry) => {
    const [architecture, name] = entry.split(':');
    return { digest: digest(name ?? ''), os: 'linux', architecture: architecture === 'amd' ? 'amd64' : 'arm64' };
  });
  return { kind: 'index', images, config: undefined };
}

/** `one`, `one on arm`, `one on nowhere`, `one-config config`, `starting`. */
function pod(text: string): Running {
  const [name = '', ...rest] = text.split(' ');
  const platform = rest.includes('nowhere') ? undefined : rest.includes('arm') ? arm : amd;
  return { image: 'nginx', digest: name === 'starting' ? undefined : digest(name), isConfig: rest.includes('config'), platform };
}

const rows: readonly (readonly [string, string[], Record<string, string>, DigestOutcome, Partial<DigestComparisonInput>?])[] = [
  ['the digest itself', ['new'], {}, 'same'],
  ['no pods', [], {}, 'no-pods'],
  ['a pod that starts is waited for', ['new', 'starting'], {}, 'starting'],
  ['of a rollout that has failed nobody waits', ['starting'], {}, 'changed', { stalled: true }],
  ['one pod that is behind', ['new', 'old'], { new: 'new', old: 'old' }, 'changed'],
  ['one that is behind, beside one that starts', ['starting', 'old'], { new: 'new', old: 'old' }, 'changed'],
  ['the platform image of the index', ['a'], { new: 'amd:a arm:b' }, 'same'],
  ['a platform image of another index', ['x'], { new: 'amd:a arm:b', x: 'x' }, 'changed'],
  ['another index with the same image for the platform', ['old'], { new: 'amd:a arm:b', old: 'amd:a arm:c' }, 'same'],
  ['another index with another image for the platform', ['old on arm'], { new: 'amd:a arm:b', old: 'amd:a arm:c' }, 'changed'],
  ['with every digest counting', ['old'], { new: 'amd:a arm:b', old: 'amd:a arm:c' }, 'changed', { compare: 'index' }],
  ['with every digest counting, a child of the index', ['a'], { new: 'amd:a' }, 'same', { compare: 'index' }],
  ['a node of unknown platform, attestation only', ['old on nowhere'], { new: 'amd:a arm:b', old: 'amd:a arm:b' }, 'same'],
  ['a node of unknown platform, one image rebuilt', ['old on nowhere'], { new: 'amd:a arm:b', old: 'amd:a arm:c' }, 'changed'],
  ['the running index is gone from the registry', ['old'], { new: 'amd:a', old: 'gone' }, 'changed'],
  ['the platform is not in the new index yet', ['old on arm'], { new: 'amd:a', old: 'amd:a arm:b' }, 'platform-missing'],
  ['the image for the platform, taken out of the index that runs', ['old'], { new: 'new', old: 'amd:new arm:b' }, 'same'],
  ['the image for another platform, taken out of the index that runs', ['old on arm'], { new: 'new', old: 'amd:new arm:b' }, 'changed'],
  ['the same on a node of unknown platform', ['old on nowhere'], { new: 'new', old: 'amd:new arm:b' }, 'changed'],
  ['the same, with every digest counting', ['old'], { new: 'new', old: 'amd:new arm:b' }, 'changed', { compare: 'index' }],
  ['a new single image', ['old'], { new: 'new', old: 'old' }, 'changed'],
  ['its configuration is reported', ['new-config config'], { new: 'new' }, 'same'],
  ['another configuration is reported', ['old-config config'], { new: 'new' }, 'changed'],
  ['the configuration of the platform image', ['a-config config'], { new: 'amd:a arm:b', a: 'a' }, 'same'],
  ['another configuration than that of the platform image', ['x config'], { new: 'amd:a arm:b', a: 'a' }, 'changed'],
  ['a configuration while the platform image is not known', ['x config'], { new: 'amd:a arm:b' }, 'unknown'],
];

describe('core/compare-digests', () => {
  for (const [title, pods, known, outcome, options] of rows) {
    it(`${title}: ${outcome}`, () => {
      const map = new Map(
        Object.entries(known).map(([name, text]) => [digest(name), text === 'gone' ? ('gone' as const) : contents(text)] as const),
      );
      const input = {
        offered: digest('new'),
        contents: map,
        running: pods.map(pod),
        compare: 'platform',
        stalled: false,
        ...options,
      } as const;
      assert.equal(compareDigests(input).outcome, outcome);
    });
  }

  it('names the digest that runs, where it is one, and the platforms that are missing', () => {
    const contentsOf = new Map([[digest('new'), contents('amd:a')]]);
    const input = { offered: digest('new'), contents: contentsOf, compare: 'platform', stalled: false } as const;
    assert.deepEqual(compareDigests({ ...input, running: [pod('old on arm'), pod('old on arm')] }), {
      outcome: 'platform-missing',
      running: digest('old'),
      missing: ['linux/arm64'],
    });
    assert.equal(compareDigests({ ...input, running: [pod('old'), pod('older')] }).running, undefined);
  });
});
