import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isUsableVersion } from './binary-table.ts';
import type { BinaryName } from './binary-table.ts';
import { withLock } from './build-lock.ts';
import { findBinary } from './find-binary.ts';

const versions: readonly (readonly [BinaryName, string, boolean])[] = [
  ['etcd', 'etcd Version: 3.6.13\nGit SHA: Not provided\nGo Version: go1.26.8', true],
  ['etcd', 'etcd Version: 3.5.16', true],
  ['etcd', 'etcd Version: 3.4.23\nGo Version: go1.19.8', false],
  ['kube-apiserver', 'Kubernetes v1.36.2', true],
  ['kube-apiserver', 'Kubernetes v1.33.0', true],
  ['kube-apiserver', 'Kubernetes v1.32.9', false],
  ['kube-apiserver', 'Kubernetes v1.37.0', false],
  ['kube-scheduler', 'Kubernetes v0.0.0-master+$Format:%H$', false],
  ['kubectl', 'Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0', true],
  ['kubectl', 'Client Version: v1.31.0\nKustomize Version: v5.5.0', false],
  ['kwok', 'kwok version v0.8.0 go1.26.8 (linux/amd64)', true],
  ['kwok', 'kwok version v0.7.0 go1.24.2 (linux/amd64)', false],
  ['registry', 'registry github.com/distribution/distribution/v3 v3.1.1+unknown', true],
  ['registry', 'registry github.com/docker/distribution v2.8.2+unknown', false],
  ['registry', '', false],
  ['helm', 'v4.2.4', true],
  ['helm', 'v3.18.4+gd80839c', false],
];

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'headwind-binaries-'));
}

function makeProgram(folder: string, name: string, says: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('test/cluster/binaries', () => {
  for (const [name, text, isUsable] of versions) {
    it(`${name} that says "${text.split('\n')[0]}" is ${isUsable ? 'taken' : 'left alone'}`, () => {
      assert.equal(isUsableVersion(name, text), isUsable);
    });
  }

  it('takes the first program that fits: KUBEBUILDER_ASSETS, then PATH', async (t) => {
    const folder = makeFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const old = makeProgram(join(folder, 'old'), 'etcd', 'etcd Version: 3.4.23');
    const fits = makeProgram(join(folder, 'fits'), 'etcd', 'etcd Version: 3.6.1');
    const PATH = [join(folder, 'old'), join(folder, 'fits')].join(':');
    assert.equal(await findBinary('etcd', { PATH }), fits);
    assert.equal(await findBinary('etcd', { PATH: join(folder, 'old'), KUBEBUILDER_ASSETS: join(folder, 'fits') }), fits);
    assert.equal(await findBinary('etcd', { PATH: join(old, '..') }), undefined);
  });

  it('says what to do when something must be built and there is no Go', async (t) => {
    const cache = makeFolder();
    t.after(() => rmSync(cache, { recursive: true }));
    const script = fileURLToPath(new URL('binaries.ts', import.meta.url));
    const env = { PATH: '/nowhere', HOME: cache };
    const stderr = await new Promise<string>((resolve) => {
      execFile(process.execPath, [script, 'etcd'], { env }, (error, _stdout, text) => {
        assert.equal(error?.code, 1);
        resolve(text);
      });
    });
    assert.match(stderr, /there is no `go` on the PATH\.\nInstall Go 1\.26/);
  });

  it('lets one builder work at a time', async (t) => {
    const folder = makeFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    let working = 0;
    const work = async () => {
      working += 1;
      assert.equal(working, 1);
      await new Promise(setImmediate);
      working -= 1;
    };
    await Promise.all([withLock(folder, () => undefined, work), withLock(folder, () => undefined, work)]);
  });

  it('takes over the lock of a builder that died', async (t) => {
    const folder = makeFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const dead = await new Promise<number>((resolve) => {
      const child = execFile('true', () => resolve(child.pid!));
    });
    mkdirSync(join(folder, 'lock'));
    const { hostname } = await import('node:os');
    writeFileSync(join(folder, 'lock', 'owner.json'), JSON.stringify({ host: hostname(), pid: dead }));
    assert.equal(
      await withLock(
        folder,
        () => assert.fail('waited for the dead'),
        () => Promise.resolve('mine'),
      ),
      'mine',
    );
  });
});
