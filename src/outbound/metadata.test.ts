import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { OutboundError } from '../errors.ts';
import { createOutbound } from '../outbound.ts';
import { isMetadataService } from './metadata.ts';

const table = [
  // URL, is it a metadata service
  ['http://169.254.169.254/latest/api/token', true],
  ['http://169.254.170.23/v1/credentials', true],
  ['http://169.254.170.2/v2/credentials', true],
  ['http://[fd00:ec2::23]/v1/credentials', true],
  ['http://[fd00:ec2::254]/latest/api/token', true],
  ['http://metadata.google.internal/computeMetadata/v1/', true],
  ['https://metadata.google.internal/computeMetadata/v1/', false],
  ['http://169.254.169.253/', false],
  ['http://metadata.google.internal.evil.test/', false],
  ['http://example.com/', false],
] as const;

describe('outbound/metadata', () => {
  for (const [url, expected] of table) {
    it(`${url} is ${expected ? 'a' : 'no'} metadata service`, () => {
      assert.equal(isMetadataService({ url, maxBytes: 1, metadataService: true }, new URL(url)), expected);
      assert.equal(isMetadataService({ url, maxBytes: 1, directlyNamed: true, allowPrivate: true }, new URL(url)), false);
    });
  }

  it('without the word it is blocked, with it only what is one is reached, never by a name that leads elsewhere', async (t) => {
    const seen: string[] = [];
    const outbound = createOutbound({
      userAgent: 'headwind/test',
      resolve: (hostname, done) => {
        seen.push(hostname);
        done(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    t.after(() => outbound.close());
    const ask = (url: string, metadataService: boolean) =>
      outbound.request({ url, maxBytes: 1, allowPrivate: true, metadataService, timeouts: { callMs: 50 } }).then(
        () => 'answer',
        (error: unknown) => (error instanceof OutboundError ? error.code : String(error)),
      );
    assert.equal(await ask('http://169.254.169.254/', false), 'Blocked');
    assert.notEqual(await ask('http://169.254.169.254/', true), 'Blocked');
    assert.equal(await ask('http://169.254.1.1/', true), 'Blocked');
    assert.equal(await ask('http://metadata.google.internal/', false), 'Blocked');
    assert.deepEqual(seen, []);
    assert.equal(await ask('http://metadata.google.internal/', true), 'Blocked');
    assert.deepEqual(seen, ['metadata.google.internal']);
  });

  it('only the modules of cloud identities ask for it', () => {
    const files = globSync('src/**/*.ts').filter((file) => !file.endsWith('.test.ts') && !file.startsWith('src/outbound'));
    const users = files.filter((file) => readFileSync(file, 'utf8').includes('metadataService'));
    assert.deepEqual(
      users.filter((file) => file !== 'src/registry/identity-http.ts'),
      [],
    );
  });
});
