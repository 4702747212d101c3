import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TagBook } from './tag-book.ts';

const key = 'docker.io/library/nginx|anonymous';
const verified = (tag: string, digest = 'sha256:a') => ({ tag, digest, verified: true });

describe('operator/tag-book', () => {
  describe('pushes', () => {
    it('are numbered over all repositories, and given oldest first', () => {
      const book = new TagBook();
      book.recordPush(key, verified('1.26'), 1);
      book.recordPush('other', verified('1.0'), 2);
      book.recordPush(key, verified('1.27'), 3);
      assert.deepEqual(
        book.pushes(key, 0).map(({ tag, sequence, at }) => [tag, sequence, at]),
        [
          ['1.26', 1, 1],
          ['1.27', 3, 3],
        ],
      );
      assert.equal(book.sequence, 3);
    });

    it('of one tag: the later one counts, and is the last', () => {
      const book = new TagBook();
      for (const [tag, digest] of [
        ['1.26', 'sha256:a'],
        ['1.27', 'sha256:a'],
        ['1.26', 'sha256:b'],
      ] as const)
        book.recordPush(key, verified(tag, digest), 1);
      assert.deepEqual(
        book.pushes(key, 0).map(({ tag, digest }) => [tag, digest]),
        [
          ['1.27', 'sha256:a'],
          ['1.26', 'sha256:b'],
        ],
      );
    });

    it('only those after a number', () => {
      const book = new TagBook();
      const first = book.recordPush(key, verified('1.26'), 1);
      book.recordPush(key, verified('1.27'), 1);
      assert.deepEqual(
        book.pushes(key, first.sequence).map(({ tag }) => tag),
        ['1.27'],
      );
      assert.deepEqual(book.pushes(key, book.sequence), []);
      assert.deepEqual(book.pushes('unknown', 0), []);
    });

    it('a push that arrived before an edit does not count although it was recorded after it', () => {
      const book = new TagBook();
      const early = book.arrive();
      const editedAt = book.sequence;
      const late = book.arrive();
      book.recordPush(key, verified('1.27'), 1, late);
      book.recordPush(key, verified('1.26'), 1, early);
      assert.deepEqual(
        book.pushes(key, 0, editedAt).map(({ tag }) => tag),
        ['1.27'],
      );
      assert.deepEqual(
        book.pushes(key, 0).map(({ tag }) => tag),
        ['1.27', '1.26'],
      );
    });

    it('a push that was recorded late is not used up by what was judged meanwhile', () => {
      const book = new TagBook();
      const early = book.arrive();
      const judged = book.recordPush(key, verified('1.26'), 1, book.arrive()).sequence;
      book.recordPush(key, verified('1.27'), 1, early);
      assert.deepEqual(
        book.pushes(key, judged).map(({ tag }) => tag),
        ['1.27'],
      );
    });

    it('no more than a thousand of a repository', () => {
      const book = new TagBook();
      for (let number = 0; number < 1500; number++) book.recordPush(key, verified(`1.${number}`), 1);
      const tags = book.pushes(key, 0).map(({ tag }) => tag);
      assert.deepEqual([tags.length, tags[0], tags.at(-1)], [1000, '1.500', '1.1499']);
    });
  });

  describe('lists', () => {
    const list = (tags: string[], at = 1) => ({ tags, origin: 'polling', at }) as const;

    it('tell what is new, nothing at first sight', () => {
      const book = new TagBook();
      assert.deepEqual(book.recordListing(key, list(['1.25', '1.26'])), []);
      assert.deepEqual(book.recordListing(key, list(['1.25', '1.26', '1.27'])), ['1.27']);
      assert.deepEqual(book.recordListing(key, list(['1.27'])), []);
      assert.deepEqual(book.listing(key)?.tags, ['1.27']);
    });

    it('that say the same are kept once, with the time of the last', () => {
      const book = new TagBook();
      book.recordListing(key, list(['1.25', '1.26'], 1));
      const first = book.listing(key);
      book.recordListing(key, list(['1.26', '1.25'], 2));
      assert.equal(book.listing(key)?.tags, first?.tags);
      assert.equal(book.listing(key)?.at, 2);
    });

    it('leave pushes and digests alone', () => {
      const book = new TagBook();
      book.recordPush(key, verified('1.26'), 1);
      book.recordHead(key, '1.26', 'sha256:a', 1);
      book.recordListing(key, list(['1.25']));
      assert.equal(book.pushes(key, 0).length, 1);
      assert.equal(book.freshDigest(key, '1.26', 1), 'sha256:a');
    });
  });

  describe('digests', () => {
    it('are fresh for a minute', () => {
      const book = new TagBook();
      book.recordHead(key, '1.26', 'sha256:a', 1000);
      assert.equal(book.freshDigest(key, '1.26', 60_999), 'sha256:a');
      assert.equal(book.freshDigest(key, '1.26', 61_000), undefined);
      assert.equal(book.freshDigest(key, '1.27', 1000), undefined);
      assert.equal(book.freshDigest('other', '1.26', 1000), undefined);
    });

    it('no more than two hundred of a repository', () => {
      const book = new TagBook();
      for (let number = 0; number < 300; number++) book.recordHead(key, `1.${number}`, 'sha256:a', 1);
      assert.equal(book.freshDigest(key, '1.99', 1), undefined);
      assert.equal(book.freshDigest(key, '1.100', 1), 'sha256:a');
    });
  });

  it('is bounded: what was not looked at for the longest time goes first', () => {
    const book = new TagBook({ maxBytes: 7500 });
    const tags = Array.from({ length: 100 }, (_, index) => `1.${index}`);
    for (const name of ['a', 'b']) book.recordListing(name, { tags, origin: 'polling', at: 1 });
    book.listing('a');
    book.recordListing('c', { tags, origin: 'polling', at: 1 });
    assert.deepEqual(
      [book.listing('a') !== undefined, book.listing('b') !== undefined, book.listing('c') !== undefined],
      [true, false, true],
    );
  });
});
