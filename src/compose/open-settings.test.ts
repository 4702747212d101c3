import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { testAuthority } from '../../test/fakes/certificate.ts';
import { readConfig } from '../config.ts';
import { readSystemRoots, usualConfigFile } from './local-files.ts';
import { openSettings } from './open-settings.ts';

function aFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwind-open-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const open = (environment: Record<string, string>) => openSettings(readConfig(environment, {}), environment);

describe('compose/open-settings', () => {
  it('reads the file that the environment names, with the variables of the environment', async (t) => {
    const path = join(aFolder(t), 'config.yaml');
    writeFileSync(path, 'webserver: {port: ${PORT}}\nslack: {enabled: true}\n');
    const opened = await open({ CONFIG_FILE: path, PORT: '8099' });
    assert.ok('settings' in opened);
    assert.equal(opened.healthPort, 8099);
    assert.ok(opened.warnings.includes(`${path}: slack is set, but what it asks for is not available in this version`));
  });

  it('tells the mistakes of environment and file at once', async (t) => {
    const path = join(aFolder(t), 'config.yaml');
    writeFileSync(path, 'compare: x\n');
    const opened = await open({ CONFIG_FILE: path, HEADWIND_API_PORT: 'x' });
    assert.deepEqual('mistakes' in opened && opened.mistakes, [
      'HEADWIND_API_PORT: "x" is not valid; write a port number from 0 to 65535; 0 is any free port',
      `${path} line 1: compare: "x" is not valid; write platform or index`,
    ]);
  });

  it('a file that is named and cannot be read is a mistake', async (t) => {
    const folder = aFolder(t);
    const none = await open({ CONFIG_FILE: join(folder, 'none.yaml') });
    assert.deepEqual('mistakes' in none && none.mistakes, [`the configuration file ${folder}/none.yaml does not exist`]);
    const itself = await open({ CONFIG_FILE: folder });
    assert.deepEqual('mistakes' in itself && itself.mistakes, [`the configuration file ${folder} is a folder, not a file`]);
  });

  it('of the usual files the first that exists is taken', (t) => {
    const folder = aFolder(t);
    const [first, second] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
    assert.equal(usualConfigFile([first, second]), undefined);
    writeFileSync(second, '');
    assert.equal(usualConfigFile([first, second]), second);
    writeFileSync(first, '');
    assert.equal(usualConfigFile([first, second]), first);
  });

  it('authorities where OpenSSL looks for them count for registries; what is no certificate is passed over', async (t) => {
    const folder = aFolder(t);
    const [one, two] = [testAuthority('one').cert, testAuthority('two').cert];
    writeFileSync(join(folder, 'all.pem'), `${one}${one}`);
    writeFileSync(join(folder, 'two.crt'), two);
    writeFileSync(join(folder, 'README'), 'x');
    assert.deepEqual(readSystemRoots({ file: join(folder, 'none'), folder: join(folder, 'none') }), []);
    const opened = await open({ SSL_CERT_FILE: join(folder, 'all.pem'), SSL_CERT_DIR: folder });
    assert.deepEqual('settings' in opened && opened.settings.registries.caCertificates, [one.trim(), two.trim()]);
  });
});
