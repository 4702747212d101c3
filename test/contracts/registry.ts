import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isDigest } from '../../src/core/image-reference.ts';
import { RegistryError } from '../../src/errors.ts';
import type { Registry, RepositoryRef } from '../../src/ports.ts';

export interface RegistryWorld {
  readonly registry: Registry;
  /** The host part of image references; it holds nothing yet. */
  readonly host: string;
  /** Moves a tag to a new image; gives its digest. */
  readonly push: (repository: string, tag: string) => Promise<string> | string;
}

const { signal } = new AbortController();
const unknown = `sha256:${'0'.repeat(64)}`;

/** Every implementation of the port Registry must pass this one suite. */
export function describeRegistry(name: string, start: (t: TestContext) => Promise<RegistryWorld>): void {
  async function begin(t: TestContext) {
    const world = await start(t);
    const repository: RepositoryRef = { registry: world.host, repository: 'acme/app' };
    const credentials = world.registry.credentials(repository, []);
    const resolve = async (reference: string, ref = repository, given = signal) =>
      (await world.registry.resolve(ref, reference, credentials, given)).digest;
    const tags = (ref = repository, given = signal) => world.registry.tags(ref, credentials, given);
    const contents = (digest: string, given = signal) => world.registry.contents(repository, digest, credentials, given);
    return { ...world, repository, credentials, resolve, tags, contents };
  }

  describe(`${name} keeps the contract of Registry`, () => {
    it('gives the digest behind a tag', async (t) => {
      const { push, resolve } = await begin(t);
      const digest = await push('acme/app', '1.0.0');
      assert.ok(isDigest(digest));
      assert.equal(await resolve('1.0.0'), digest);
    });

    it('gives the new digest when the tag moves', async (t) => {
      const { push, resolve } = await begin(t);
      const old = await push('acme/app', 'latest');
      assert.equal(await resolve('latest'), old);
      const moved = await push('acme/app', 'latest');
      assert.notEqual(moved, old);
      assert.equal(await resolve('latest'), moved);
    });

    it('gives a digest for itself as long as it exists', async (t) => {
      const { push, resolve } = await begin(t);
      const digest = await push('acme/app', '1.0.0');
      assert.equal(await resolve(digest), digest);
      await assert.rejects(resolve(unknown), isNotFound);
    });

    it('says what a digest stands for, also of what no tag names any more', async (t) => {
      const { push, contents } = await begin(t);
      const old = await push('acme/app', 'latest');
      const moved = await push('acme/app', 'latest');
      for (const digest of [old, moved, old]) {
        const { digest: own, kind, images } = await contents(digest);
        assert.deepEqual([own, kind === 'other', images.length > 0], [digest, false, true]);
        assert.ok(images.every((image) => isDigest(image.digest)));
      }
    });

    it('says NotFound for contents that the registry does not have', async (t) => {
      const { push, contents } = await begin(t);
      await push('acme/app', '1.0.0');
      await assert.rejects(contents(unknown), isNotFound);
      await assert.rejects(contents('latest'), RegistryError);
    });

    it('says NotFound for an unknown tag and an unknown repository, and remembers neither', async (t) => {
      const { push, resolve, tags, host } = await begin(t);
      await assert.rejects(resolve('1.0.0'), isNotFound);
      await assert.rejects(tags(), isNotFound);
      const digest = await push('acme/app', '1.0.0');
      assert.equal(await resolve('1.0.0'), digest);
      await assert.rejects(resolve('1.0.0', { registry: host, repository: 'acme/other' }), isNotFound);
    });

    it('lists all tags, each once, of this repository only', async (t) => {
      const { push, tags } = await begin(t);
      for (const tag of ['1.0.0', '1.0.1', 'latest', '1.0.0']) await push('acme/app', tag);
      await push('acme/other', '9.9.9');
      const list = await tags();
      assert.deepEqual([[...list.tags].sort(), list.truncated], [['1.0.0', '1.0.1', 'latest'], false]);
    });

    it('refuses what is neither tag nor digest, and what is no repository', async (t) => {
      const { resolve, tags, host } = await begin(t);
      for (const reference of ['', '../x', 'a b', `sha256:${'0'.repeat(63)}`]) await assert.rejects(resolve(reference), RegistryError);
      await assert.rejects(tags({ registry: host, repository: '../../x' }), RegistryError);
    });

    it('says what it could not do, where, and what to do', async (t) => {
      const { resolve, host } = await begin(t);
      await assert.rejects(resolve('1.0.0'), (error) => {
        assert.ok(error instanceof RegistryError);
        assert.deepEqual([error.registry, error.repository, error.operation], [host, 'acme/app', 'resolve']);
        assert.ok(error.message.includes(`${host}/acme/app:1.0.0`), error.message);
        return true;
      });
    });

    it('gives equal fingerprints for equal credentials', async (t) => {
      const { registry, repository, credentials } = await begin(t);
      assert.equal(registry.credentials(repository, []).fingerprint, credentials.fingerprint);
      assert.deepEqual(
        credentials.candidates.map(({ source }) => source),
        ['anonymous'],
      );
    });

    it('ends with the reason of the signal', async (t) => {
      const { push, resolve, tags, contents, repository } = await begin(t);
      const digest = await push('acme/app', '1.0.0');
      const controller = new AbortController();
      controller.abort(new Error('enough'));
      await assert.rejects(resolve('1.0.0', repository, controller.signal), /enough/);
      await assert.rejects(tags(repository, controller.signal), /enough/);
      await assert.rejects(contents(digest, controller.signal), /enough/);
    });

    it('serves many callers at once', async (t) => {
      const { push, resolve, tags } = await begin(t);
      const digest = await push('acme/app', '1.0.0');
      const [digests, lists] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, () => resolve('1.0.0'))),
        Promise.all(Array.from({ length: 20 }, () => tags())),
      ]);
      assert.deepEqual([[...new Set(digests)], lists.every(({ tags }) => tags[0] === '1.0.0')], [[digest], true]);
    });
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof RegistryError && error.isNotFound;
}
