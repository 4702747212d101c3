import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { FakePullSecrets } from '../../test/fakes/pull-secrets.ts';
import { aDigest, FakeRegistryPort } from '../../test/fakes/registry-port.ts';
import { parseImageReference } from '../core/image-reference.ts';
import type { RegistryErrorCode } from '../errors.ts';
import { checkRegistry, type TriedCredential } from './check-registry.ts';
import { RepositoryAccess } from './repository-access.ts';
import { TagBook } from './tag-book.ts';

const { signal } = new AbortController();
const repository = 'registry.example/team/app';

function setUp({ passwords = {}, tried = [] }: { passwords?: Record<string, string>; tried?: TriedCredential[] } = {}) {
  const registry = new FakeRegistryPort();
  const digest = registry.push(repository, '1.0.0');
  const access = new RepositoryAccess({
    registry,
    pullSecrets: new FakePullSecrets(passwords),
    book: new TagBook(),
    clock: { now: () => 0 },
  });
  const workload = aWorkload({ namespace: 'team', pullSecretNames: ['regcred'] });
  const check = (wanted = '1.0.0') => {
    const reference = parseImageReference(`${repository}:${wanted}`);
    assert.ok(!('invalid' in reference));
    return checkRegistry({ reference, wanted, workload }, { access, registry, tried, isPlainHttp: false }, signal);
  };
  return { registry, digest, check };
}

describe('operator/check-registry', () => {
  it('tells digest, kind, platforms and tags', async () => {
    const { registry, digest, check } = setUp({ passwords: { 'team/regcred': 'canary' } });
    registry.index(digest, { 'linux/amd64': aDigest('amd64'), 'linux/arm64/v8': aDigest('arm64') });
    registry.push(repository, '1.1.0');
    const answers = await check();
    assert.deepEqual(answers, {
      credentials: ['Secret', 'anonymous'],
      tried: [],
      digest,
      kind: 'index',
      platforms: ['linux/amd64', 'linux/arm64/v8'],
      tags: { count: 2, complete: true },
      notes: [],
      failures: [],
    });
  });

  it('says of a single image what its manifest says, which is no platform', async () => {
    const { kind, platforms } = await setUp().check();
    assert.deepEqual([kind, platforms], ['image', null]);
  });

  it('says which pull secrets could not be used', async () => {
    const { notes, credentials } = await setUp().check();
    assert.deepEqual(notes, ['PullSecretMissing: Secret team/regcred does not exist']);
    assert.deepEqual(credentials, ['anonymous']);
  });

  it('lists tags although the wanted one is not there', async () => {
    const { registry, check } = setUp();
    const answers = await check('9.9.9');
    assert.deepEqual(
      answers.failures.map(({ operation, code }) => [operation, code]),
      [['resolve', 'NotFound']],
    );
    assert.deepEqual(answers.tags, { count: 1, complete: true });
    assert.ok(!registry.calls.some((call) => call.startsWith('contents')));
  });

  const final: readonly RegistryErrorCode[] = ['Unauthorized', 'Denied', 'RateLimited', 'Unavailable', 'Timeout', 'Blocked'];
  for (const code of final) {
    it(`asks nothing else after ${code}`, async () => {
      const { registry, check } = setUp();
      registry.fail(code);
      const { failures, tags } = await check();
      assert.deepEqual([failures.map((failure) => failure.code), tags, registry.calls.length], [[code], null, 1]);
    });
  }

  it('counts a list that a limit ended as a failure', async () => {
    const { registry, check } = setUp();
    registry.truncated = true;
    const { failures, tags } = await check();
    assert.deepEqual([failures[0]?.code, tags], ['TagListTruncated', { count: 1, complete: false }]);
  });

  it('gives what the client told of credentials', async () => {
    const tried: TriedCredential[] = [{ operation: 'resolve', source: 'anonymous', outcome: 'failed', httpStatus: undefined }];
    assert.deepEqual((await setUp({ tried }).check()).tried, [
      { operation: 'resolve', source: 'anonymous', outcome: 'failed', httpStatus: null },
    ]);
  });

  it('does not hide mistakes of its own', async () => {
    const { registry, check } = setUp();
    registry.tags = () => Promise.reject(new TypeError('a bug'));
    await assert.rejects(check(), /a bug/);
  });
});
