import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { testAuthority } from '../../test/fakes/certificate.ts';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { Waiters } from '../../test/fakes/waiters.ts';
import { readConfig } from '../config.ts';
import { LiveSettings, summaryOf } from './live-settings.ts';
import { openSettings } from './open-settings.ts';

interface Scene {
  readonly folder: string;
  readonly live: LiveSettings;
  readonly log: RecordingLog;
  readonly metrics: RecordingMetrics;
  readonly told: string[];
  readonly write: (text: string) => void;
  readonly until: (condition: () => boolean) => Promise<void>;
}

const token = 'canary';

async function start(t: TestContext, text: string, prepare: (folder: string) => void = () => undefined): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'headwind-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'config.yaml');
  writeFileSync(path, text.replaceAll('FOLDER', folder));
  prepare(folder);
  const opened = await openSettings(readConfig({ CONFIG_FILE: path, HEADWIND_POLLING_ENABLED: 'false' }, {}), { TOKEN: token });
  if ('mistakes' in opened) assert.fail(opened.mistakes.join('\n'));
  const [log, metrics, waiters, told] = [new RecordingLog(), new RecordingMetrics(), new Waiters(), new Array<string>()];
  const live = new LiveSettings({
    reader: opened.reader,
    settings: opened.settings,
    log,
    metrics,
    everyMs: 5,
    onReading(reason, message) {
      told.push(`${reason}: ${message}`);
      waiters.notify();
    },
  });
  live.onChange(() => waiters.notify());
  const stop = new AbortController();
  const running = live.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  const write = (next: string): void => {
    // As Kubernetes does it: never half a file.
    writeFileSync(`${path}.new`, next.replaceAll('FOLDER', folder));
    renameSync(`${path}.new`, path);
  };
  return { folder, live, log, metrics, told, write, until: (condition) => waiters.until(condition) };
}

/** A Secret as the kubelet mounts it: files are links into a folder that a link names. */
function mount(folder: string, version: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, version), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, version, name), text);
    if (version === 'v1') symlinkSync(join('..data', name), join(folder, name));
  }
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

describe('compose/live-settings', () => {
  it('a changed file is in force without a restart', async (t) => {
    const { live, metrics, told, write, until } = await start(t, 'logLevel: info');
    const changes: string[] = [];
    live.onChange((next, before) => changes.push(`${before.logLevel} to ${next.logLevel}`));
    write('logLevel: debug\npolling: {enabled: true, interval: 60}\nupdateRequests: {expiry: 1h}\ncronSchedule: "@daily"\n');
    await until(() => live.current.logLevel === 'debug');
    assert.deepEqual(live.current.polling, { enabled: true, intervalMs: 60_000 });
    assert.equal(live.current.requests.expiryMs, 3_600_000);
    assert.deepEqual(live.autorolloutSettings().schedule, { kind: 'cron', expression: '@daily', timeZone: 'UTC' });
    assert.deepEqual(changes, ['info to debug']);
    assert.deepEqual(told, ['ConfigurationChanged: The changed settings are in force']);
    assert.equal(metrics.value('config_reloads_total', { result: 'ok' }), 1);
  });

  it('a file with mistakes changes nothing, and is told once; corrected, it counts', async (t) => {
    const { live, log, metrics, told, write, until } = await start(t, 'logLevel: warn');
    write('logLevel: loud\nfoo: 1\n');
    await until(() => told.length === 1);
    assert.equal(live.current.logLevel, 'warn');
    assert.match(told[0] ?? '', /^InvalidConfiguration: .*line 1: logLevel: "loud" is not valid.*; .*line 2: "foo" is no key/);
    assert.equal(metrics.value('config_reloads_total', { result: 'refused' }), 1);
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
    write('logLevel: error\n');
    await until(() => live.current.logLevel === 'error');
  });

  it('a warning is told once, whatever else changes', async (t) => {
    const { live, log, write, until } = await start(t, 'logLevel: info');
    for (const level of ['warn', 'error', 'debug'] as const) {
      write(`logLevel: ${level}\nslack: {}\n`);
      await until(() => live.current.logLevel === level);
    }
    assert.equal(log.lines.filter(({ message }) => message.includes('slack is set')).length, 1);
  });

  it('a file that is gone keeps what it said', async (t) => {
    const { folder, live, told, until } = await start(t, 'logLevel: warn');
    rmSync(join(folder, 'config.yaml'));
    await until(() => told.length === 1);
    assert.match(told[0] ?? '', /the configuration file .*config\.yaml does not exist/);
    assert.equal(live.current.logLevel, 'warn');
  });

  it('another port is told to count from the next start on, and the rest counts at once', async (t) => {
    const { folder, live, log, write, told, until } = await start(t, 'webserver: {port: 8099}\ncompare: platform\n');
    write('compare: index\nwebserver:\n  port: 8098\n');
    await until(() => told.length > 0);
    assert.equal(live.current.autorollout.compare, 'index');
    const wanted = `${folder}/config.yaml line 3: webserver.port 8098 counts from the next start on; until then it is 8099`;
    assert.deepEqual(
      log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
      [wanted],
    );
  });

  it('a rotated Secret is read again, although only a link was swapped', async (t) => {
    const text = 'registries: [{hostnamePattern: a, secret: {type: ImagePullSecret, mountPath: FOLDER/pull}}]';
    const scene = await start(t, text, (folder) => mount(join(folder, 'pull'), 'v1', { '.dockerconfigjson': '{"auths":{}}' }));
    const before = scene.live.registrySettings();
    mount(join(scene.folder, 'pull'), 'v2', { '.dockerconfigjson': '{"auths":{"a":{}}}' });
    await scene.until(() => scene.live.registrySettings() !== before);
    const credential = scene.live.registrySettings().hosts[0]?.credential;
    assert.equal(credential?.kind === 'docker-config' && credential.text.reveal(), '{"auths":{"a":{}}}');
  });

  it('a rotated authority is read again; a broken one leaves the old one in force', async (t) => {
    const text = 'tls: {caCertificatePaths: [FOLDER/ca.crt]}';
    const [first, second] = [testAuthority(), testAuthority()];
    const { folder, live, told, until } = await start(t, text, (at) => writeFileSync(join(at, 'ca.crt'), first.cert));
    writeFileSync(join(folder, 'ca.crt'), 'x');
    await until(() => told.length === 1);
    assert.match(told[0] ?? '', /InvalidConfiguration: .*ca\.crt has no certificate/);
    assert.deepEqual(live.registrySettings().caCertificates, [first.cert.trim()]);
    writeFileSync(join(folder, 'ca.crt'), second.cert);
    await until(() => live.registrySettings().caCertificates[0] === second.cert.trim());
  });

  it('the ConfigMap wins over the file; without it the file counts again', async (t) => {
    const { live } = await start(t, 'logLevel: warn\npolling: {interval: 60}');
    await live.configMapChanged({ source: 'ConfigMap x', data: { 'config.yaml': 'logLevel: debug', 'polling.interval': '90' } });
    assert.deepEqual([live.current.logLevel, live.current.polling.intervalMs], ['debug', 90_000]);
    await live.configMapChanged(undefined);
    assert.deepEqual([live.current.logLevel, live.current.polling.intervalMs], ['warn', 60_000]);
  });

  it('a ConfigMap with mistakes does not keep the file from changing', async (t) => {
    const { live, told, write, until } = await start(t, 'logLevel: warn\npolling: {interval: 60}');
    await live.configMapChanged({ source: 'ConfigMap x', data: { 'polling.interval': '90' } });
    await live.configMapChanged({ source: 'ConfigMap x', data: { 'polling.interval': 'soon' } });
    assert.match(told.at(-1) ?? '', /InvalidConfiguration: .*ConfigMap x: polling\.interval: "soon" is not valid/);
    write('logLevel: debug');
    await until(() => live.current.logLevel === 'debug');
    assert.equal(live.current.polling.intervalMs, 90_000);
  });

  it('a ConfigMap that says the same again is not read again', async (t) => {
    const { live, metrics } = await start(t, '');
    for (let turn = 0; turn < 3; turn++) await live.configMapChanged({ source: 'ConfigMap x', data: { logLevel: 'debug' } });
    assert.equal(metrics.value('config_reloads_total', { result: 'ok' }), 1);
  });

  it('no line tells a secret, a user name or how long they are', async (t) => {
    const text =
      'registries: [{hostnamePattern: a, secret: {type: Opaque, username: somebody, token: "${TOKEN}"}, proxy: {url: "http://p", username: somebody, password: x}}]';
    const { live, log, told, write, until } = await start(t, text);
    write(`${text}\nlogLevel: debug`);
    await until(() => told.length === 1);
    const lines = JSON.stringify([summaryOf(live.current), log.lines, told]);
    assert.doesNotMatch(lines, /canary|somebody/);
  });
});
