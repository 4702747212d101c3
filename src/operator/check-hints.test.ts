import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { FakeTime } from '../../test/fakes/clock.ts';
import { FakePullSecrets } from '../../test/fakes/pull-secrets.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { aDigest, FakeRegistryPort } from '../../test/fakes/registry-port.ts';
import { FakeWorkloads } from '../../test/fakes/workloads.ts';
import type { PushHint } from '../core/push-hint.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { HintDesk, type HintDeps } from './check-hints.ts';
import { Notes } from './notes.ts';
import { RepositoryAccess } from './repository-access.ts';
import { TagBook } from './tag-book.ts';

interface Options {
  readonly registryNames?: (registry: string) => readonly string[];
  readonly workloads?: readonly Workload[];
  readonly verify?: HintDeps['verify'];
  readonly secrets?: Record<string, string>;
}

const nginx = 'docker.io/library/nginx';

/** A desk at work in fake time, until the test ends. */
async function start(t: TestContext, { workloads = [aWorkload()], verify = 'prefer', secrets = {}, registryNames }: Options = {}) {
  const time = new FakeTime();
  time.install();
  const registry = new FakeRegistryPort();
  const pullSecrets = new FakePullSecrets(secrets);
  const book = new TagBook();
  const clock = { now: time.now };
  const [events, log, metrics, woken] = [new RecordingEvents(), new RecordingLog(), new RecordingMetrics(), [] as string[]];
  const access = new RepositoryAccess({ registry, pullSecrets, book, clock });
  const fakes = { workloads: new FakeWorkloads(workloads), access, registry, book, notes: new Notes(), events, log, metrics, clock };
  const desk = new HintDesk({ ...fakes, verify, ...(registryNames && { registryNames }), wake: (key) => woken.push(key) });
  const stop = new AbortController();
  const running = desk.run({ signal: stop.signal });
  t.after(async () => {
    stop.abort();
    await time.advance(1000);
    await running;
    time.restore();
  });
  return { ...fakes, desk, time, woken, pullSecrets };
}

function aHint(tag: string, overrides: Partial<PushHint> = {}): PushHint {
  return { provider: 'registry', registry: 'docker.io', repository: 'library/nginx', tag, ...overrides };
}

describe('operator/check-hints', () => {
  it('what the registry confirms is recorded, and those who use it are woken', async (t) => {
    const { desk, registry, book, time, woken, log } = await start(t, {
      workloads: [
        aWorkload(),
        aWorkload({ name: 'api', slots: [{ container: 'a', init: true, image: 'docker.io/nginx:1.20' }] }),
        aWorkload({ name: 'other', slots: [{ container: 'a', init: false, image: 'redis:7' }] }),
      ],
    });
    registry.push(nginx, '1.26', aDigest('x'));
    assert.equal(desk.accept([aHint('1.26', { digest: aDigest('claimed') })]), 'accepted');
    await time.settle();
    assert.deepEqual(woken, ['Deployment/shop/web', 'Deployment/shop/api']);
    assert.deepEqual(registry.calls, [`resolve ${nginx}:1.26`]);
    const [push] = book.pushes(`${nginx}|anonymous`, 0);
    assert.deepEqual([push?.tag, push?.digest, push?.verified], ['1.26', aDigest('x'), true]);
    assert.partialDeepStrictEqual(log.lines, [{ level: 'info', fields: { hints: 1, taken: 1, workloads: 2 } }]);
  });

  describe('who is asked for', () => {
    const cases: readonly (readonly [string, Partial<Workload>, number])[] = [
      ['event source webhook', {}, 1],
      ['event source both', { annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/event-source': 'both' } }, 1],
      ['event source polling', { annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/event-source': 'polling' } }, 0],
      [
        'event source none: for the time after the freeze',
        { annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/event-source': 'none' } },
        1,
      ],
      ['a bad annotation: for the time after it is corrected', { annotations: { 'headwind.sh/policy': 'mnior' } }, 1],
      ['policy none', { annotations: { 'headwind.sh/policy': 'none' } }, 0],
      ['a container that images does not mean', { annotations: { 'headwind.sh/policy': 'minor', 'headwind.sh/images': 'api' } }, 0],
      ['another repository that begins with the same name', { slots: [{ container: 'web', init: false, image: 'nginx-extra:1' }] }, 0],
    ];
    for (const [title, workload, questions] of cases) {
      it(`${title}: ${questions === 0 ? 'nobody' : 'the registry'}`, async (t) => {
        const { desk, registry, time, woken } = await start(t, { workloads: [aWorkload(workload)] });
        registry.push(nginx, '1.26');
        desk.accept([aHint('1.26')]);
        await time.advance(60_000);
        assert.equal(registry.calls.length, questions);
        assert.equal(woken.length, questions);
      });
    }

    for (const tag of ['', 'a b', '-x', 'a'.repeat(129), 'a/b']) {
      it(`${JSON.stringify(tag.slice(0, 10))} is no tag: nobody`, async (t) => {
        const { desk, registry, time } = await start(t);
        assert.equal(desk.accept([aHint(tag)]), 'accepted');
        await time.advance(60_000);
        assert.deepEqual(registry.calls, []);
      });
    }
  });

  describe('deliveries that come twice', () => {
    const cases: readonly (readonly [string, Partial<PushHint>, Partial<PushHint>, number, boolean])[] = [
      ['the same id', { deliveryId: 'a' }, { deliveryId: 'a' }, 60_000, true],
      ['the same id after ten minutes', { deliveryId: 'a' }, { deliveryId: 'a' }, 600_000, false],
      ['another id', { deliveryId: 'a' }, { deliveryId: 'b' }, 10_000, false],
      ['the same id of another sender', { deliveryId: 'a' }, { deliveryId: 'a', provider: 'dockerhub' }, 10_000, false],
      ['no id, the same digest within 30 s', { digest: aDigest('x') }, { digest: aDigest('x') }, 29_000, true],
      ['no id, the same digest later', { digest: aDigest('x') }, { digest: aDigest('x') }, 30_000, false],
      ['no id, another digest', { digest: aDigest('x') }, { digest: aDigest('y') }, 10_000, false],
      ['no id and no digest', {}, {}, 10_000, false],
    ];
    for (const [title, first, second, waitMs, isOne] of cases) {
      it(`${title}: ${isOne ? 'one' : 'two'}`, async (t) => {
        const { desk, registry, book, time } = await start(t);
        registry.push(nginx, '1.26');
        desk.accept([aHint('1.26', first)]);
        await time.advance(waitMs);
        desk.accept([aHint('1.26', second)]);
        await time.advance(10_000);
        assert.equal(registry.calls.length, isOne ? 1 : 2);
        assert.equal(book.pushes(`${nginx}|anonymous`, 0).length, 1);
      });
    }

    it('one delivery may hold several tags', async (t) => {
      const { desk, registry, time } = await start(t);
      desk.accept([aHint('1.26', { deliveryId: 'a' }), aHint('1.27', { deliveryId: 'a' })]);
      await time.advance(4000);
      assert.deepEqual(new Set(registry.calls), new Set([`resolve ${nginx}:1.26`, `resolve ${nginx}:1.27`]));
    });
  });

  describe('room', () => {
    it('a thousand tags of one repository may wait; further ones are turned away, and welcome again later', async (t) => {
      const { desk, registry, time } = await start(t);
      registry.push(nginx, '1.25');
      const many = Array.from({ length: 1000 }, (_, index) => aHint(`x-${index}`));
      assert.equal(desk.accept(many), 'accepted');
      assert.equal(desk.accept([aHint('x-0')]), 'accepted', 'one that waits already');
      assert.equal(desk.accept([aHint('more', { deliveryId: 'a' })]), 'unavailable');
      await time.advance(600_000);
      registry.push(nginx, 'more');
      const before = registry.calls.length;
      assert.equal(desk.accept([aHint('more', { deliveryId: 'a' })]), 'accepted', 'it was turned away, so it is no repetition');
      await time.advance(10_000);
      assert.equal(registry.calls.length, before + 1);
    });
  });

  describe('invented tags', () => {
    const invented = (count: number, offset = 0) => Array.from({ length: count }, (_, index) => aHint(`x-${index + offset}`));

    it('give way to a real one once the registry has denied them, and are asked after it', async (t) => {
      const { desk, registry, time } = await start(t);
      registry.push(nginx, '1.26');
      desk.accept(invented(1000));
      await time.advance(1000);
      registry.calls.length = 0;
      assert.equal(desk.accept([aHint('1.26')]), 'accepted');
      await time.advance(10_000);
      assert.equal(registry.calls[0], `resolve ${nginx}:1.26`);
      assert.equal(registry.calls.length, 1000, 'all but one of the others');
    });

    it('of many repositories do not shut out another one', async (t) => {
      const names = Array.from({ length: 21 }, (_, index) => `acme/app${index}`);
      const { desk, registry, time } = await start(t, {
        workloads: [aWorkload({ slots: [...names, 'nginx'].map((name) => ({ container: name, init: false, image: `${name}:1.0` })) })],
      });
      registry.push(nginx, '1.26');
      const answers = names.map((repository) => desk.accept(invented(1000).map((hint) => ({ ...hint, repository }))));
      assert.deepEqual([answers.filter((answer) => answer === 'accepted').length, answers.at(-1)], [20, 'unavailable']);
      assert.equal(desk.accept([aHint('1.26')]), 'accepted');
      await time.advance(60_000);
      assert.ok(registry.calls.includes(`resolve ${nginx}:1.26`));
    });
  });

  describe('two credentials for one repository', () => {
    const workloads = ['shop', 'blog'].map((namespace) => aWorkload({ namespace, uid: namespace, pullSecretNames: ['regcred'] }));
    const secrets = { 'shop/regcred': 'right', 'blog/regcred': 'wrong' };

    it('are two questions; the one that may not see the repository does not hold the other', async (t) => {
      const { desk, registry, book, time, woken, log } = await start(t, { workloads, secrets, verify: 'require' });
      registry.push(nginx, '1.26');
      registry.protect(nginx, 'right');
      desk.accept([aHint('1.26')]);
      await time.advance(1000);
      assert.deepEqual(woken, ['Deployment/shop/web']);
      assert.equal(book.pushes(`${nginx}|right`, 0).length, 1);
      assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1);
    });

    it('the one that was answered is not asked again, and its push counts once', async (t) => {
      const { desk, registry, book, time, woken } = await start(t, { workloads, secrets, verify: 'require' });
      registry.push(nginx, '1.26');
      registry.protect(nginx, 'right');
      desk.accept([aHint('1.26')]);
      await time.advance(60_000);
      const asked = (password: string) => registry.calls.filter((call) => call.endsWith(`as ${password}`)).length;
      assert.equal(asked('right'), 1);
      assert.ok(asked('wrong') > 2);
      assert.deepEqual(woken, ['Deployment/shop/web']);
      assert.equal(book.pushes(`${nginx}|right`, 0)[0]?.sequence, book.pushes(`${nginx}|right`, 0).at(-1)?.sequence);
    });
  });

  it('a failure that is not the registry’s keeps the hint for the next attempt', async (t) => {
    const { desk, registry, pullSecrets, time, woken } = await start(t);
    registry.push(nginx, '1.26');
    const answer = pullSecrets.of.bind(pullSecrets);
    let failures = 2;
    t.mock.method(pullSecrets, 'of', async (context: Parameters<typeof answer>[0]) => {
      if (failures-- > 0) throw new ApiError(500, '', 'the API server is down');
      return answer(context);
    });
    desk.accept([aHint('1.26')]);
    await time.advance(60_000);
    assert.deepEqual(woken, ['Deployment/shop/web']);
  });

  it('a pull secret that is missing is told once', async (t) => {
    const { desk, registry, events, time } = await start(t, { workloads: [aWorkload({ pullSecretNames: ['gone'] })] });
    registry.push(nginx, '1.26');
    for (const tag of ['1.26', '1.27', '1.28']) {
      desk.accept([aHint(tag)]);
      await time.advance(10_000);
    }
    assert.deepEqual(events.emitted, ['Deployment shop/web PullSecretMissing']);
  });

  it('only what the registry was asked for counts as processed', async (t) => {
    const { desk, metrics } = await start(t);
    desk.accept([aHint('1.26'), aHint('no tag'), aHint('1.27', { repository: 'library/redis' })]);
    assert.equal(metrics.value('webhook_events_processed'), 1);
  });

  it('a push under one name of a registry is news for those who pull by another one', async (t) => {
    const internal = aWorkload({ slots: [{ container: 'web', init: false, image: 'harbor.internal/acme/web:1.0.0' }] });
    const { desk, registry, time, woken } = await start(t, {
      workloads: [internal],
      registryNames: () => ['harbor.example.com', 'harbor.internal'],
    });
    registry.push('harbor.internal/acme/web', '1.0.1');
    desk.accept([aHint('1.0.1', { registry: 'harbor.example.com', repository: 'acme/web' })]);
    await time.settle();
    assert.deepEqual([woken, registry.calls], [['Deployment/shop/web'], ['resolve harbor.internal/acme/web:1.0.1']]);
  });
});
