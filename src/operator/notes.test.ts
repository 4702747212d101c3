import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import type { Workload } from '../core/workload.ts';
import { Notes } from './notes.ts';

const key = 'Deployment/shop/web';

function withImages(images: Record<string, string>, history: { container: string; image: string }[] = []): Workload {
  const entries = history.map((entry) => ({ ...entry, timestamp: '2026-01-15T10:00:00Z' }));
  return aWorkload({
    slots: Object.entries(images).map(([container, image]) => ({ container, image, init: false })),
    annotations: { 'headwind.sh/policy': 'minor', ...(entries.length > 0 && { 'headwind.sh/update-history': JSON.stringify(entries) }) },
  });
}

describe('operator/notes', () => {
  it('settings are read once per version of the object, at most', () => {
    const notes = new Notes();
    const workload = aWorkload();
    assert.equal(notes.settings(workload), notes.settings(workload));
    assert.deepEqual(notes.settings({ ...workload, slots: [] }).container('web'), { held: 'there is no container web' });
  });

  it('used-up pushes only grow, per container', () => {
    const notes = new Notes();
    notes.usedUp(key, 'web', 5);
    notes.usedUp(key, 'web', 3);
    assert.deepEqual([notes.watermark(key, 'web'), notes.watermark(key, 'api'), notes.watermark('other', 'web')], [5, 0, 0]);
  });

  describe('pushes from before an edit', () => {
    const edits: readonly (readonly [string, Workload, Workload | undefined, number, Record<string, number>])[] = [
      ['somebody set an image', withImages({ web: 'nginx:1.20' }), withImages({ web: 'nginx:1.25' }), 7, { web: 7 }],
      [
        'one of two containers',
        withImages({ web: 'nginx:1.20', api: 'a:1' }),
        withImages({ web: 'nginx:1.25', api: 'a:1' }),
        7,
        { web: 7, api: 0 },
      ],
      ['a container was added', withImages({ web: 'nginx:1.25', api: 'a:1' }), withImages({ web: 'nginx:1.25' }), 7, { web: 0, api: 7 }],
      ['the workload is new', withImages({ web: 'nginx:1.25' }), undefined, 7, { web: 7 }],
      ['no push has arrived yet', withImages({ web: 'nginx:1.20' }), withImages({ web: 'nginx:1.25' }), 0, { web: 0 }],
      ['nothing of the images changed', withImages({ web: 'nginx:1.25' }), withImages({ web: 'nginx:1.25' }), 7, { web: 0 }],
      [
        'we set it',
        withImages({ web: 'nginx:1.26' }, [{ container: 'web', image: 'nginx:1.26' }]),
        withImages({ web: 'nginx:1.25' }),
        7,
        { web: 0 },
      ],
      [
        'somebody went back to what we had set before',
        withImages({ web: 'nginx:1.25' }, [
          { container: 'web', image: 'nginx:1.26' },
          { container: 'web', image: 'nginx:1.25' },
        ]),
        withImages({ web: 'nginx:1.26' }),
        7,
        { web: 7 },
      ],
    ];
    for (const [title, next, old, sequence, expected] of edits) {
      it(`${title}: ${JSON.stringify(expected)}`, () => {
        const notes = new Notes();
        notes.workloadChanged(next, old, sequence);
        for (const [container, number] of Object.entries(expected)) {
          assert.equal(notes.editedAt(key, container), number, container);
          assert.equal(notes.watermark(key, container), 0, 'an edit uses nothing up');
        }
      });
    }
  });

  describe('since when a rollout runs', () => {
    const running = aWorkload({ rollout: { settled: false, healthy: false, message: '' } });
    const settled = aWorkload();

    it('is the first look at it', () => {
      const notes = new Notes();
      assert.deepEqual([notes.unsettledSince(running, 1000), notes.unsettledSince(running, 9000)], [1000, 1000]);
    });
    it('is nothing when none runs, and anew for the next', () => {
      const notes = new Notes();
      notes.unsettledSince(running, 1000);
      assert.equal(notes.unsettledSince(settled, 2000), undefined);
      assert.equal(notes.unsettledSince(running, 3000), 3000);
    });
    it('is anew for the next also when only the watch saw that it ended', () => {
      const notes = new Notes();
      notes.unsettledSince(running, 1000);
      notes.workloadChanged(settled, running, 0);
      assert.equal(notes.unsettledSince(running, 3000), 3000);
    });
  });

  describe('news', () => {
    it('is told once per change of the text', () => {
      const notes = new Notes();
      const told = ['a', 'a', 'b', 'a', '', '', 'a'].map((text) => notes.isNews(key, text));
      assert.deepEqual(told, [true, false, true, true, false, false, true]);
    });
    it('old topics give way to new ones', () => {
      const notes = new Notes();
      for (let topic = 0; topic < 300; topic++) notes.isNews(key, 'a', `poll ${topic}`);
      assert.deepEqual([notes.isNews(key, 'a', 'poll 299'), notes.isNews(key, 'a', 'poll 0')], [false, true]);
    });
    it('topics and workloads do not know of each other', () => {
      const notes = new Notes();
      assert.deepEqual(
        [notes.isNews(key, 'a'), notes.isNews(key, 'a', 'poll'), notes.isNews('other', 'a'), notes.isNews(key, 'a', 'poll')],
        [true, true, true, false],
      );
    });
  });

  describe('lists that were handed out', () => {
    const aList = (name: string) =>
      ({ tags: Array.from({ length: 100_000 }, (_, index) => `${name}-${index}`.padEnd(128, 'x')), origin: 'polling', at: 1 }) as const;

    it('are kept as they were', () => {
      const notes = new Notes();
      const listing = { tags: ['1.25'], origin: 'polling', at: 1 } as const;
      notes.deliver(key, 'book', { listing, at: 2 });
      assert.deepEqual(notes.delivered(key, 'book'), { listing, at: 2 });
      assert.equal(notes.delivered(key, 'book')?.listing.tags, listing.tags);
    });

    it('do not fill the memory: the one used longest ago counts as not handed out', () => {
      const notes = new Notes();
      for (const name of ['a', 'b', 'c', 'd', 'e']) notes.deliver(`Deployment/shop/${name}`, name, { listing: aList(name), at: 2 });
      const known = ['a', 'b', 'c', 'd', 'e'].filter((name) => notes.delivered(`Deployment/shop/${name}`, name) !== undefined);
      assert.deepEqual(known, ['b', 'c', 'd', 'e']);
    });

    it('of one workload are as many as it can have repositories', () => {
      const notes = new Notes();
      const listing = { tags: ['1.25'], origin: 'polling', at: 1 } as const;
      for (let image = 0; image < 300; image++) notes.deliver(key, `book ${image}`, { listing, at: 2 });
      assert.deepEqual([notes.delivered(key, 'book 99'), notes.delivered(key, 'book 100')?.at], [undefined, 2]);
    });
  });

  it('forgets everything of a workload that is gone', () => {
    const notes = new Notes();
    const listing = { tags: [], origin: 'polling', at: 0 } as const;
    notes.usedUp(key, 'web', 5);
    notes.workloadChanged(withImages({ web: 'a:1' }), undefined, 5);
    notes.unsettledSince(aWorkload({ rollout: { settled: false, healthy: false, message: '' } }), 1000);
    notes.deliver(key, 'book', { listing, at: 0 });
    notes.setPlan(key, []);
    notes.isNews(key, 'a', 'poll');
    notes.forget(key);
    assert.equal(notes.watermark(key, 'web'), 0);
    assert.equal(notes.editedAt(key, 'web'), 0);
    assert.equal(notes.unsettledSince(aWorkload({ rollout: { settled: false, healthy: false, message: '' } }), 5000), 5000);
    assert.equal(notes.delivered(key, 'book'), undefined);
    assert.equal(notes.plan(key), undefined);
    assert.equal(notes.isNews(key, 'a', 'poll'), true);
  });
});
