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

  it('tells what is wrong in files that it names beside what is wrong in it', async (t) => {
    const folder = aFolder(t);
    const path = join(folder, 'config.yaml');
    writeFileSync(
      path,
      [
        'cronSchedule: "61 * * * * *"',
        'registries:',
        '  - hostnamePattern: "["',
        `    secret: {type: ImagePullSecret, mountPath: ${folder}/none}`,
        '  - secret: {type: Opaque}',
        '  - {hostnamePattern: a, secret: {type: none}, caCertificatePaths: [/none/a.crt]}',
        '  - {hostnamePattern: b, secret: {type: None}, clientKeyPath: [x], clientCertificatePath: /none/b.crt}',
        '  - just words',
        '  - {hostnamePattern: c, secret: {type: Opaque, token: t}, insecure: si, caCertificatePaths: [/none/c.crt]}',
        'tls: {caCertificatePaths: [/none/ca.pem]}',
        'foo: 1',
        'featureFlags: {enableKubectlAnnotation: ${NOT_SET}}',
      ].join('\n'),
    );
    const opened = await open({ CONFIG_FILE: path });
    const mistakes = 'mistakes' in opened ? opened.mistakes.map((mistake) => mistake.replace(`${path} `, '')) : [];
    assert.deepEqual(
      mistakes.map((mistake) => /^line \d+: \S+/.exec(mistake)?.[0]),
      [
        'line 1: cronSchedule:',
        'line 3: registries[0].hostnamePattern:',
        'line 5: registries[1].hostnamePattern',
        'line 6: registries[2].secret.type:',
        'line 7: registries[3].clientKeyPath:',
        'line 8: registries[4]:',
        'line 9: registries[5].insecure:',
        'line 11: "foo"',
        'line 12: ${NOT_SET}',
        'line 4: registries[0].secret.mountPath:',
        'line 5: registries[1].secret.token',
        'line 6: registries[2].caCertificatePaths[0]:',
        'line 9: registries[5].caCertificatePaths[0]:',
        'line 10: tls.caCertificatePaths[0]:',
      ],
      mistakes.join('\n'),
    );
  });

  it('a file in another encoding than UTF-8 is a mistake, with its line', async (t) => {
    const path = join(aFolder(t), 'config.yaml');
    writeFileSync(path, Buffer.from('compare: index\ntimeZone: UTC # f\xfcr alle\n', 'latin1'));
    const opened = await open({ CONFIG_FILE: path });
    assert.deepEqual('mistakes' in opened && opened.mistakes, [`${path} line 2: the file is not in UTF-8; save it in this encoding`]);
  });

  it('warns of a schedule that lies in the past', async (t) => {
    const path = join(aFolder(t), 'config.yaml');
    writeFileSync(path, 'cronSchedule: "0 0 0 1 1 * 2020"\n');
    const opened = await open({ CONFIG_FILE: path });
    assert.ok('warnings' in opened);
    assert.ok(
      opened.warnings.includes(
        `${path} line 1: cronSchedule: "0 0 0 1 1 * 2020" has no time to come: labelled workloads are looked at no more; write a later year, or none`,
      ),
      opened.warnings.join('\n'),
    );
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
