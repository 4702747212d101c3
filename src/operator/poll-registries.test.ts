import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { FakeTime } from '../../test/fakes/clock.ts';
import { FakePullSecrets } from '../../test/fakes/pull-secrets.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { FakeRegistryPort } from '../../test/fakes/registry-port.ts';
import { FakeWorkloads } from '../../test/fakes/workloads.ts';
import { type AutorolloutSettings, defaultAutorolloutSettings } from '../core/autorollout-settings.ts';
import type { Workload } from '../core/workload.ts';
import { Notes } from './notes.ts';
import { RegistryPoller } from './poll-registries.ts';
import { RepositoryAccess } from './repository-access.ts';
import { TagBook } from './tag-book.ts';

const nginx = 'docker.io/library/nginx';

function aPoller(name: string, annotations: Record<string, string> = {}, image = 'nginx:1.25'): Workload {
  const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`headwind.sh/${key}`, value]));
  return aWorkload({
    name,
    uid: name,
    annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/event-source': 'polling', ...prefixed },
    slots: [{ container: 'web', init: false, image }],
  });
}

interface StartOptions {
  readonly intervalMs?: number;
  readonly random?: number | (() => number);
  readonly autorollout?: AutorolloutSettings;
}

/** A poller at work in fake time, until the test ends. Checks are noted with the second at which they were made. */
async function start(
  t: TestContext,
  workloads: readonly Workload[],
  { intervalMs = 300_000, random = 0.5, autorollout = defaultAutorolloutSettings }: StartOptions = {},
) {
  const time = new FakeTime();
  time.install();
  const registry = new FakeRegistryPort();
  registry.push(nginx, '1.25');
  const book = new TagBook();
  const clock = { now: time.now };
  const pullSecrets = new FakePullSecrets();
  const [events, log, metrics, woken] = [new RecordingEvents(), new RecordingLog(), new RecordingMetrics(), [] as string[]];
  const access = new RepositoryAccess({ registry, pullSecrets, book, clock });
  const fakes = { workloads: new FakeWorkloads(workloads), access, registry, book, notes: new Notes(), events, log, metrics, clock };
  const poller = new RegistryPoller({
    ...fakes,
    intervalMs,
    pollingEnabled: true,
    autorollout: () => autorollout,
    wake: (key) => woken.push(key),
    random: typeof random === 'number' ? () => random : random,
  });
  const checks: number[] = [];
  const begun = time.now();
  const list = registry.tags.bind(registry);
  t.mock.method(registry, 'tags', (...question: Parameters<typeof list>) => {
    checks.push((time.now() - begun) / 1000);
    return list(...question);
  });
  const stop = new AbortController();
  const running = poller.run({ signal: stop.signal });
  t.after(async () => {
    stop.abort();
    await time.advance(1000);
    await running;
    time.restore();
  });
  return { ...fakes, poller, time, woken, checks };
}

describe('operator/poll-registries', () => {
  describe('when a repository is looked at', () => {
    const cases: readonly (readonly [string, readonly Workload[], { intervalMs?: number; random?: number }, number, readonly number[]])[] =
      [
        // seconds passed, seconds of the checks
        ['the first time spread over a minute, then each interval', [aPoller('a')], {}, 700, [30, 330, 630]],
        ['the first time spread over a short interval', [aPoller('a', { 'polling-interval': '10' })], {}, 32, [5, 15, 25]],
        ['jitter at its least', [aPoller('a')], { random: 0 }, 600, [0, 270, 540]],
        ['jitter at its most', [aPoller('a')], { random: 0.9999 }, 720, [59.994, 389.988, 719.982]],
        [
          'the smallest interval of its workloads',
          [aPoller('a', { 'polling-interval': '60' }), aPoller('b', { 'polling-interval': '1h' })],
          {},
          200,
          [30, 90, 150],
        ],
        ['by nobody who listens to webhooks only', [aPoller('a', { 'event-source': 'webhook' })], {}, 3600, []],
        ['by nobody who is frozen', [aPoller('a', { 'event-source': 'none' })], {}, 3600, []],
        [
          'by nobody whose policy needs no list',
          [aPoller('a', { policy: 'force' }), aPoller('b', { policy: 'digest' }), aPoller('c', { policy: 'none' })],
          {},
          3600,
          [],
        ],
        ['by nobody whose annotations are wrong', [aPoller('a', { policy: 'mnior' })], {}, 3600, []],
        ['by nobody whose image is none', [aPoller('a', {}, 'Nginx:1')], {}, 3600, []],
        ['by nobody whose container is not meant', [aPoller('a', { images: 'api' })], {}, 3600, []],
      ];
    for (const [title, workloads, options, seconds, expected] of cases) {
      it(`${title}: [${expected.join(', ')}]`, async (t) => {
        const { time, checks } = await start(t, workloads, options);
        await time.advance(seconds * 1000);
        assert.deepEqual(
          checks.map((second) => Math.round(second)),
          expected.map((second) => Math.round(second)),
        );
      });
    }

    it('a long list rests for a millisecond per tag, whatever its workloads ask for', async (t) => {
      const { poller, registry, time, checks } = await start(t, [aPoller('a', { 'polling-interval': '1' })]);
      for (let tag = 0; tag < 20_000; tag++) registry.push(nginx, `1.${tag}`);
      for (let second = 0; second < 50; second++) {
        await time.advance(1000);
        poller.workloadChanged(aPoller('a', { 'polling-interval': '1' }));
      }
      assert.deepEqual(
        checks.map((second) => Math.round(second)),
        [1, 21, 41],
      );
    });

    it('says when it is due', async (t) => {
      const { poller, time } = await start(t, [aPoller('a')]);
      const begun = time.now();
      assert.equal(poller.dueAt(nginx), begun + 30_000);
      await time.advance(60_000);
      assert.equal(poller.dueAt(nginx), begun + 330_000);
      assert.equal(poller.dueAt('docker.io/library/redis'), undefined);
    });

    it('a changed interval takes effect at once', async (t) => {
      const { poller, workloads, time, checks } = await start(t, [aPoller('a')]);
      await time.advance(100_000);
      poller.workloadChanged(workloads.put(aPoller('a', { 'polling-interval': '60' })));
      await time.advance(1000);
      assert.deepEqual(checks, [30, 100]);
      poller.workloadChanged(workloads.put(aPoller('a', { 'polling-interval': '600' })));
      await time.advance(600_000);
      assert.deepEqual(checks, [30, 100, 700]);
    });

    it('events of the workload do not move it', async (t) => {
      const { poller, workloads, time, checks } = await start(t, [aPoller('a')]);
      for (let second = 0; second < 400; second += 5) {
        poller.workloadChanged(workloads.put(aPoller('a')));
        await time.advance(5000);
      }
      assert.deepEqual(checks, [30, 330]);
    });

    it('events of a workload whose registry is down do not move it either', async (t) => {
      const { poller, registry, workloads, time, checks } = await start(t, [aPoller('a')]);
      registry.fail('Unavailable');
      for (let second = 0; second < 400; second += 5) {
        poller.workloadChanged(workloads.put(aPoller('a')));
        await time.advance(5000);
      }
      assert.deepEqual(checks, [30, 330]);
    });
  });

  describe('who is woken', () => {
    it('all at first sight, then those for whom there is news', async (t) => {
      const { registry, time, woken } = await start(t, [aPoller('a'), aPoller('b')]);
      await time.advance(60_000);
      assert.deepEqual(woken.splice(0), ['Deployment/shop/a', 'Deployment/shop/b']);
      await time.advance(3_000_000);
      assert.deepEqual(woken, []);
      registry.push(nginx, '1.26');
      await time.advance(300_000);
      assert.deepEqual(woken, ['Deployment/shop/a', 'Deployment/shop/b']);
    });

    it('a tag that went away is news, too', async (t) => {
      const { registry, time, woken } = await start(t, [aPoller('a')]);
      registry.push(nginx, '1.26');
      await time.advance(60_000);
      woken.length = 0;
      registry.remove(nginx, '1.26');
      await time.advance(300_000);
      assert.deepEqual(woken, ['Deployment/shop/a']);
    });

    it('a slow one gets the news of all that it missed at once', async (t) => {
      const { registry, time, woken } = await start(t, [
        aPoller('fast', { 'polling-interval': '60' }),
        aPoller('slow', { 'polling-interval': '600' }),
      ]);
      await time.advance(60_000);
      woken.length = 0;
      registry.push(nginx, '1.26');
      await time.advance(60_000);
      assert.deepEqual(woken.splice(0), ['Deployment/shop/fast']);
      await time.advance(600_000);
      assert.deepEqual(woken, ['Deployment/shop/slow']);
    });
  });

  it('counts checks, failures, new tags and those passed over', async (t) => {
    const { registry, metrics, time } = await start(t, [aPoller('a'), aPoller('b', { 'event-source': 'webhook' })]);
    await time.advance(60_000);
    registry.push(nginx, '1.26');
    await time.advance(300_000);
    registry.fail('Timeout');
    await time.advance(300_000);
    registry.fail(undefined);
    registry.truncated = true;
    await time.advance(300_000);
    assert.deepEqual(
      {
        checked: metrics.value('polling_images_checked_total'),
        failed: metrics.value('polling_errors_total'),
        found: metrics.value('polling_new_tags_found_total'),
        filtered: metrics.value('polling_resources_filtered_total'),
        ok: metrics.value('polls_total', { result: 'ok' }),
        timeout: metrics.value('polls_total', { result: 'Timeout' }),
        truncated: metrics.value('polls_total', { result: 'truncated' }),
        cycles: metrics.value('polling_cycles_total'),
      },
      { checked: 4, failed: 1, found: 1, filtered: 4, ok: 2, timeout: 1, truncated: 1, cycles: 3 },
    );
  });

  describe('what is told', () => {
    for (const [code, reason] of [
      ['Unauthorized', 'NoCredentialAccepted'],
      ['Denied', 'NoCredentialAccepted'],
      ['Timeout', 'RegistryUnavailable'],
      ['RateLimited', 'RegistryUnavailable'],
    ] as const) {
      it(`${code} as ${reason}, once`, async (t) => {
        const { registry, events, time } = await start(t, [aPoller('a')]);
        registry.fail(code);
        await time.advance(3_000_000);
        assert.deepEqual(events.emitted, [`Deployment shop/a ${reason}`]);
      });
    }

    it('two repositories that fail do not take turns', async (t) => {
      const both = {
        ...aPoller('a'),
        slots: ['nginx:1.25', 'redis:7'].map((image, index) => ({ container: `c${index}`, init: false, image })),
      };
      const { registry, events, time } = await start(t, [both]);
      registry.fail('Unavailable');
      await time.advance(3_000_000);
      assert.equal(events.emitted.length, 2);
    });

    it('a missing pull secret beside a failing registry does not take turns either', async (t) => {
      const { registry, events, time } = await start(t, [{ ...aPoller('a'), pullSecretNames: ['gone'] }]);
      registry.fail('Unavailable');
      await time.advance(3_000_000);
      assert.deepEqual(events.emitted, ['Deployment shop/a PullSecretMissing', 'Deployment shop/a RegistryUnavailable']);
    });

    const labelled = (name: string, images: readonly string[]): Workload => ({
      ...aWorkload({ name, uid: name, slots: images.map((image, index) => ({ container: `c${index}`, init: false, image })) }),
      annotations: {},
      autorollout: true,
    });
    const words = {
      scan: 'Scanning for digest changes in resources',
      failed: 'Skipping container because registry lookup failed',
    };

    it('a scan at each tick of the schedule, however often the same repository is looked at for others', async (t) => {
      const { log, time } = await start(t, [labelled('a', ['nginx:1.25']), aPoller('b', { policy: 'digest', 'polling-interval': '10' })]);
      await time.advance(121_000);
      const scans = log.lines.filter(({ message }) => message === words.scan);
      assert.equal(scans.length, 5, 'the first look, then the seconds 45, 60, 105 and 120');
      assert.deepEqual(scans[0]?.fields, { resource_count: 1, kind: 'Deployment', label: 'kube-autorollout/enabled=true' });
    });

    it('a scan at each interval, although the looks at repositories are spread over it', async (t) => {
      const many = Array.from({ length: 9 }, (_, index) => labelled(`w${index}`, [`nginx${index}:1`]));
      let random = 0;
      const autorollout = { ...defaultAutorolloutSettings, schedule: { kind: 'interval', everyMs: 30_000 } as const };
      const { log, time } = await start(t, many, { autorollout, random: () => (random += 0.05) });
      await time.advance(89_000);
      assert.equal(log.lines.filter(({ message }) => message === words.scan).length, 3);
    });

    it('each container of a labelled workload whose registry cannot be asked, once', async (t) => {
      const { registry, log, time } = await start(t, [labelled('a', ['nginx:1.25', 'nginx:1.26', 'Not An Image'])]);
      registry.fail('Timeout');
      await time.advance(300_000);
      const failed = log.lines.filter(({ message }) => message === words.failed);
      assert.deepEqual(
        failed.map(({ level, fields }) => ({ level, container: (fields as { container?: string }).container })),
        ['c0', 'c1'].map((container) => ({ level: 'warn', container })),
      );
    });

    it('a running tag that is gone, to those who run it', async (t) => {
      const [one, other] = [labelled('one', ['nginx:gone']), labelled('other', ['nginx:1.25'])];
      const { access, events, log, time } = await start(t, [one, other]);
      await time.advance(300_000);
      assert.deepEqual(events.emitted, ['Deployment shop/one TagNotFound']);
      assert.equal(log.lines.filter(({ message }) => message === words.failed).length, 1);
      const key = access.known(one, { original: 'nginx:gone', registry: 'docker.io', repository: 'library/nginx', tag: 'gone' }) ?? '';
      assert.deepEqual([access.lastCheck(key)?.problem?.reason, access.lastCheck(key)?.problem?.tag], ['TagNotFound', 'gone']);
    });
  });

  it('a list of tags that is refused holds up nobody who follows the digest of one', async (t) => {
    const follower = aPoller('follower', { policy: 'digest' });
    const { registry, time, woken, notes } = await start(t, [aPoller('reader'), follower]);
    registry.fail('Denied', `${nginx} tags`);
    await time.advance(61_000);
    assert.deepEqual(woken, ['Deployment/shop/follower']);
    assert.equal(notes.polledDigest('Deployment/shop/follower', 'docker.io/library/nginx|anonymous', '1.25')?.at, time.now() - 31_000);
  });

  it('more running tags of one repository than are remembered are looked at no more often than they ask for', async (t) => {
    const tags = Array.from({ length: 250 }, (_, index) => `1.${index}`);
    const workloads = tags.map((tag) => aPoller(`runs-${tag}`, { policy: 'digest' }, `nginx:${tag}`));
    const { registry, time, poller } = await start(t, workloads);
    for (const tag of tags) registry.push(nginx, tag);
    for (let minute = 0; minute < 30; minute++) {
      await time.advance(60_000);
      // Their status changes all the time.
      for (const workload of workloads) poller.workloadChanged(workload);
    }
    assert.ok(registry.calls.length <= 7 * tags.length, `${registry.calls.length} requests`);
  });

  it('who is impatient about one tag has no others asked for', async (t) => {
    const patient = aPoller('patient', { policy: 'digest' }, 'nginx:1.26');
    const { registry, time } = await start(t, [aPoller('impatient', { policy: 'digest', 'polling-interval': '1s' }), patient]);
    registry.push(nginx, '1.26');
    await time.advance(700_000);
    const asked = (tag: string) => registry.calls.filter((call) => call === `resolve ${nginx}:${tag}`).length;
    assert.ok(asked('1.25') > 600, `${asked('1.25')}`);
    assert.equal(asked('1.26'), 3);
  });
});
