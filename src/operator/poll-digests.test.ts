import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { FakeRegistryPort } from '../../test/fakes/registry-port.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { parseImageReference } from '../core/image-reference.ts';
import { workloadKey } from '../core/workload.ts';
import type { RegistryErrorCode } from '../errors.ts';
import { Notes } from './notes.ts';
import { pollDigests } from './poll-digests.ts';
import { TagBook } from './tag-book.ts';

const repository = 'docker.io/library/nginx';

function setUp(tags: readonly string[]) {
  const registry = new FakeRegistryPort();
  const events = new RecordingEvents();
  const woken: string[] = [];
  const group = tags.map((tag) => {
    registry.push(repository, tag);
    const reference = parseImageReference(`nginx:${tag}`);
    if ('invalid' in reference) throw new Error(reference.invalid);
    const workload = aWorkload({ name: `runs-${tag}` });
    return {
      workload,
      reference,
      cadence: { kind: 'every', ms: 60_000 },
      needsTags: false,
      needsTimes: false,
      digestsOf: new Set([tag]),
    } as const;
  });
  const deps = {
    registry,
    events,
    book: new TagBook(),
    notes: new Notes(),
    log: new RecordingLog(),
    metrics: new RecordingMetrics(),
    clock: { now: () => 0 },
    wake: (key: string) => void woken.push(key),
  };
  const access = {
    key: 'nginx|anonymous',
    credentials: registry.credentials({ registry: 'docker.io', repository: 'library/nginx' }, []),
    problems: [],
  };
  return { registry, events, woken, poll: () => pollDigests(access, group, deps, new AbortController().signal), group };
}

describe('operator/poll-digests', () => {
  for (const code of [
    'Denied',
    'Unauthorized',
    'Protocol',
    'Unsupported',
    'DigestMismatch',
    'TooLarge',
    'NotFound',
  ] satisfies RegistryErrorCode[]) {
    it(`a tag that the registry does not give (${code}) holds up nobody who runs another one, and is told to who runs it`, async () => {
      const { registry, events, woken, poll, group } = setUp(['bad', 'good']);
      registry.fail(code, `${repository}:bad`);
      const problem = await poll();
      assert.equal(problem?.tag, 'bad');
      assert.deepEqual(
        woken,
        group.slice(1).map(({ workload }) => workloadKey(workload)),
      );
      assert.deepEqual(
        events.emitted.map((line) => line.includes('runs-bad')),
        [true],
      );
    });
  }

  it('what is refused for every tag is a failure of the look', async () => {
    const { registry, events, poll } = setUp(['one', 'two']);
    for (const tag of ['one', 'two']) registry.fail('Denied', `${repository}:${tag}`);
    await assert.rejects(poll(), { code: 'Denied' });
    assert.deepEqual(events.emitted, []);
  });

  for (const code of ['Unavailable', 'Timeout', 'RateLimited', 'Blocked'] satisfies RegistryErrorCode[]) {
    it(`${code}: the next tag is not asked for`, async () => {
      const { registry, poll } = setUp(['one', 'two', 'three']);
      registry.fail(code, `${repository}:one`);
      await assert.rejects(poll(), { code });
      assert.equal(registry.calls.length, 1);
    });
  }
});
