import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ObjectStore, type StoreEvent } from './object-store.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';

const key = 'shop/web';
const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

function raw(version: number | string, uid = 'a'): RawObject {
  return { metadata: { namespace: 'shop', name: 'web', uid, resourceVersion: String(version) } };
}

function versionOf(object: RawObject): string {
  return textOf(recordAt(object, 'metadata')['resourceVersion']) ?? '';
}

function makeStore(transform: (raw: RawObject) => string | undefined = versionOf) {
  const events: StoreEvent<string>[] = [];
  const store = new ObjectStore<string>({ transform, onEvent: (event) => events.push(event), log, ownWriteMs: 60_000, onLost: quiet });
  return { store, events };
}

type Step = ['put' | 'delete' | 'wrote' | 'deleted', number | string, string?];

const table: readonly { title: string; steps: readonly Step[]; shows: string | undefined }[] = [
  {
    title: 'an own write is visible at once',
    steps: [
      ['put', 1],
      ['wrote', 2],
    ],
    shows: '2',
  },
  {
    title: 'an older event does not undo it',
    steps: [
      ['put', 1],
      ['wrote', 3],
      ['put', 2],
    ],
    shows: '3',
  },
  {
    title: 'events after its own count again',
    steps: [
      ['put', 1],
      ['wrote', 2],
      ['put', 2],
      ['put', 3],
    ],
    shows: '3',
  },
  {
    title: 'its event came first',
    steps: [
      ['put', 2],
      ['put', 3],
      ['wrote', 2],
    ],
    shows: '3',
  },
  {
    title: 'its event and the deletion came first',
    steps: [
      ['put', 2],
      ['delete', 3],
      ['wrote', 2],
    ],
    shows: undefined,
  },
  {
    title: 'a deletion of the same object is newer',
    steps: [
      ['wrote', 2],
      ['delete', 3],
    ],
    shows: undefined,
  },
  {
    title: 'a deletion of its predecessor is older',
    steps: [
      ['put', 1, 'a'],
      ['wrote', 3, 'b'],
      ['delete', 2, 'a'],
    ],
    shows: '3',
  },
  {
    title: 'a second own write takes the place of the first',
    steps: [
      ['wrote', 2],
      ['wrote', 4],
      ['put', 2],
      ['put', 3],
      ['put', 4],
      ['put', 5],
    ],
    shows: '5',
  },
  {
    title: 'a write that changed nothing waits for nothing',
    steps: [
      ['put', 1],
      ['wrote', 1],
      ['put', 2],
    ],
    shows: '2',
  },
  {
    title: 'what we deleted is gone',
    steps: [
      ['put', 1],
      ['deleted', 1],
    ],
    shows: undefined,
  },
  {
    title: 'and does not come back with an older event',
    steps: [
      ['put', 1],
      ['deleted', 1],
      ['put', 2],
    ],
    shows: undefined,
  },
  {
    title: 'but as another object',
    steps: [
      ['put', 1],
      ['deleted', 1],
      ['put', 3, 'b'],
    ],
    shows: '3',
  },
  {
    title: 'the answer to the deletion came after its event, and after a new object',
    steps: [
      ['put', 1],
      ['delete', 2],
      ['put', 3, 'b'],
      ['deleted', 1],
    ],
    shows: '3',
  },
];

function play(store: ObjectStore<string>, [what, version, uid]: Step): void {
  const object = raw(version, uid);
  if (what === 'wrote') store.wrote(object);
  else if (what === 'deleted') store.deleted(object);
  else store.observe(what, object);
}

describe('kubernetes/object-store', () => {
  for (const { title, steps, shows } of table) {
    it(title, () => {
      const { store } = makeStore();
      for (const step of steps) play(store, step);
      assert.equal(store.get(key), shows);
      store.close();
    });
  }

  it('tells nothing twice', () => {
    const { store, events } = makeStore();
    store.observe('put', raw(1));
    store.observe('put', raw(1));
    store.wrote(raw(2));
    store.observe('put', raw(2));
    assert.deepEqual(
      events.map(({ object, old }) => [object, old]),
      [
        ['1', undefined],
        ['2', '1'],
      ],
    );
    store.close();
  });

  it('removes what is no longer of interest, and prunes what a list did not contain', () => {
    const { store, events } = makeStore((object) => (versionOf(object) === '2' ? undefined : versionOf(object)));
    store.observe('put', raw(1));
    store.observe('put', raw(2));
    assert.equal(store.size, 0);
    store.observe('put', raw(3));
    store.endList(new Set());
    assert.deepEqual(
      events.map(({ type, initial }) => [type, initial]),
      [
        ['put', true],
        ['delete', true],
        ['put', true],
        ['delete', true],
      ],
    );
    store.observe('put', raw(4));
    assert.equal(events.at(-1)?.initial, false);
  });

  it('keeps what was written while the list ran', () => {
    const { store } = makeStore();
    store.beginList();
    store.wrote(raw(5));
    store.endList(new Set());
    assert.equal(store.get(key), '5');
    store.beginList();
    store.endList(new Set());
    assert.equal(store.get(key), undefined, 'the next list would contain it');
  });

  it('passes over an object that cannot be read', () => {
    const errors: object[] = [];
    const store = new ObjectStore<string>({
      transform: () => assert.fail('a bug'),
      log: { ...log, error: (fields) => errors.push(fields) },
      ownWriteMs: 1000,
      onLost: quiet,
    });
    assert.equal(store.observe('put', raw(1)), key);
    assert.equal(errors.length, 1);
    assert.equal(store.size, 0);
  });

  // Whatever the order of events and answers: the store never goes back, and ends where the server is.
  it('never goes back behind what it showed', () => {
    const moves = fc.array(fc.constantFrom('others write', 'we write', 'others replace', 'event', 'answer'), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(moves, (script) => {
        const { store } = makeStore();
        const history: { type: 'put' | 'delete'; object: RawObject }[] = [];
        const answers: RawObject[] = [];
        let [version, incarnation, delivered, shown] = [0, 0, 0, 0];
        const write = (): RawObject => {
          const object = raw(++version, `uid-${incarnation}`);
          history.push({ type: 'put', object });
          return object;
        };
        const deliver = (): void => {
          const event = history[delivered];
          if (event) store.observe(event.type, event.object);
          delivered = Math.min(history.length, delivered + 1);
        };
        const take = (): void => {
          const answer = answers.shift();
          if (answer) store.wrote(answer);
        };
        write();
        for (const move of script) {
          if (move === 'others write') write();
          else if (move === 'we write') answers.push(write());
          else if (move === 'others replace') {
            history.push({ type: 'delete', object: raw(++version, `uid-${incarnation++}`) });
            write();
          } else if (move === 'event') deliver();
          else take();
          const now = Number(store.get(key) ?? shown);
          assert.ok(now >= shown, `${shown} became ${now}`);
          shown = now;
        }
        while (answers.length > 0) take();
        while (delivered < history.length) deliver();
        assert.equal(store.get(key), String(version));
        store.close();
      }),
      { numRuns: 500 },
    );
  });
});
