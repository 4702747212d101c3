import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { testAuthority } from '../../test/fakes/certificate.ts';
import { createOutbound } from '../outbound.ts';
import { readSystemCertificates } from './system-certificates.ts';

const [one, two] = [testAuthority('one'), testAuthority('two')];

async function directory(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'headwind-certificates-'));
  t.after(() => rm(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

describe('outbound/system-certificates', () => {
  it('nothing is named, nothing is read', async () => {
    assert.deepEqual(await readSystemCertificates({}), { certificates: [], warnings: [] });
    assert.deepEqual(await readSystemCertificates({ SSL_CERT_FILE: '', SSL_CERT_DIR: '' }), { certificates: [], warnings: [] });
  });

  it('a file with several certificates, and text between them', async (t) => {
    const path = await directory(t, { 'bundle.pem': `# one\n${one.cert}\n# two\r\n${two.cert.replaceAll('\n', '\r\n')}${one.cert}` });
    const { certificates, warnings } = await readSystemCertificates({ SSL_CERT_FILE: join(path, 'bundle.pem') });
    assert.deepEqual([certificates.length, warnings], [2, []]);
  });

  it('directories, as volumes are mounted', async (t) => {
    const first = await directory(t, { 'one.crt': one.cert, README: 'no certificate' });
    const second = await directory(t, {});
    await mkdir(join(second, '..2026'));
    await writeFile(join(second, '..2026', 'ca.crt'), two.cert);
    await symlink('..2026', join(second, '..data'));
    await symlink('..data/ca.crt', join(second, 'ca.crt'));
    const { certificates, warnings } = await readSystemCertificates({ SSL_CERT_DIR: `${first}:${second}` });
    assert.deepEqual([certificates.length, warnings], [2, []]);
  });

  const broken = [
    // title, text, warning
    ['no certificate', 'hello', /SSL_CERT_FILE: .*ca\.pem holds no certificate in PEM form; its authorities are not trusted/],
    [
      'a broken certificate',
      `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      /1 certificates in .*ca\.pem cannot be read/,
    ],
    ['a key', one.key, /holds no certificate/],
  ] as const;
  for (const [title, text, warning] of broken) {
    it(`${title} is a warning`, async (t) => {
      const path = await directory(t, { 'ca.pem': text });
      const { certificates, warnings } = await readSystemCertificates({ SSL_CERT_FILE: join(path, 'ca.pem') });
      assert.equal(certificates.length, 0);
      assert.match(warnings.join(), warning);
    });
  }

  it('what is not there is a warning', async () => {
    const { warnings } = await readSystemCertificates({ SSL_CERT_FILE: '/nowhere/ca.pem', SSL_CERT_DIR: '/nowhere/certs' });
    assert.match(
      warnings.join('\n'),
      /^SSL_CERT_FILE: \/nowhere\/ca\.pem cannot be read \(.*ENOENT.*\).*\nSSL_CERT_DIR: \/nowhere\/certs cannot be listed/,
    );
  });

  it('is what the client trusts, beside the built-in authorities', async (t) => {
    const path = await directory(t, { 'one.pem': one.cert });
    const { certificates } = await readSystemCertificates({ SSL_CERT_DIR: path });
    const server = createServer(one.issue(['127.0.0.1']), (_, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = createOutbound({ userAgent: 'headwind/test' });
    t.after(async () => {
      await client.close();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    const url = `https://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`;
    const request = { url, maxBytes: 100, directlyNamed: true };
    await assert.rejects(client.request(request), { code: 'Tls' });
    const answer = await client.request({ ...request, authorities: { ca: certificates.join('\n') } });
    assert.equal(answer.body.toString(), 'hello');
  });
});
