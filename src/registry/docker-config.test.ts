import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readDockerConfig } from './docker-config.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const basic = (username: string, password: string) => ({ kind: 'basic', username, password });

const entries = [
  // title, entry, contents
  ['auth', { auth: base64('user:pass') }, [basic('user', 'pass')]],
  ['auth without padding', { auth: base64('user:pass').replaceAll('=', '') }, [basic('user', 'pass')]],
  ['auth with a newline', { auth: `${base64('user:pass')}\n` }, [basic('user', 'pass')]],
  ['a password with colons', { auth: base64('user:pa:ss:') }, [basic('user', 'pa:ss:')]],
  ['a password padded with NUL and a line break', { auth: base64('user:pa\0ss\0\0\r\n') }, [basic('user', 'pa\0ss')]],
  ['a password of padding alone', { auth: base64('user:\0\0') }, [basic('user', '')]],
  ['auth before username', { auth: base64('a:b'), username: 'c', password: 'd' }, [basic('a', 'b')]],
  ['username and password', { username: 'c', password: 'd', email: 'x@example.com' }, [basic('c', 'd')]],
  ['a robot with a dollar', { username: 'robot$team+ci', password: '%41&' }, [basic('robot$team+ci', '%41&')]],
  ['an identity token', { identitytoken: 'abc' }, [{ kind: 'identity', token: 'abc' }]],
  ['an identity token beside the zero user', { auth: base64('0000:'), identitytoken: 'abc' }, [{ kind: 'identity', token: 'abc' }]],
  ['the user <token>', { auth: base64('<token>:abc') }, [{ kind: 'identity', token: 'abc' }]],
  ['a registry token', { registrytoken: 'abc' }, [{ kind: 'bearer', token: 'abc' }]],
  [
    'all of them',
    { auth: base64('a:b'), identitytoken: 'i', registrytoken: 'r' },
    [basic('a', 'b'), { kind: 'identity', token: 'i' }, { kind: 'bearer', token: 'r' }],
  ],
] as const;

const broken = [
  // title, type, data, part of the sentence
  ['not JSON', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{"auths": canary' }, 'is not a JSON object'],
  ['an array', 'kubernetes.io/dockercfg', { '.dockercfg': '["canary"]' }, 'is not a JSON object'],
  ['auths of a wrong kind', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{"auths":["canary"]}' }, '"auths"'],
  ['the key is missing', 'kubernetes.io/dockerconfigjson', { other: 'canary' }, 'has no key ".dockerconfigjson"'],
  ['an entry that is text', 'kubernetes.io/dockercfg', { '.dockercfg': '{"ghcr.io":"canary"}' }, 'the entry is not an object'],
  ['auth is not base64', 'kubernetes.io/dockercfg', { '.dockercfg': '{"ghcr.io":{"auth":"canary!"}}' }, 'not base64'],
  ['auth without a colon', 'kubernetes.io/dockercfg', { '.dockercfg': `{"ghcr.io":{"auth":"${base64('canary')}"}}` }, 'no ":"'],
  ['an empty entry', 'kubernetes.io/dockercfg', { '.dockercfg': '{"https://u:canary@ghcr.io":{}}' }, '"https://ghcr.io"'],
  ['credential helpers', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{"credsStore":"canary"}' }, 'credential helpers'],
  ['basic-auth for nobody', 'kubernetes.io/basic-auth', { username: 'u', password: 'canary' }, 'does not say for which registry'],
  ['a TLS secret', 'kubernetes.io/tls', { 'tls.key': 'canary' }, 'holds no registry credentials'],
] as const;

function aSecret(type: string, data: Readonly<Record<string, string>>, registry?: string) {
  return { namespace: 'team', name: 'regcred', type, data, registry };
}

describe('registry/docker-config', () => {
  for (const [title, entry, contents] of entries) {
    it(`reads ${title}`, () => {
      const json = aSecret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': entry } }) });
      const cfg = aSecret('kubernetes.io/dockercfg', { '.dockercfg': JSON.stringify({ 'ghcr.io': entry }) });
      for (const secret of [json, cfg])
        assert.deepEqual(readDockerConfig(secret), { entries: [{ key: 'ghcr.io', contents }], problems: [] });
    });
  }

  for (const [title, type, data, part] of broken) {
    it(`names the secret and no value: ${title}`, () => {
      const { entries, problems } = readDockerConfig(aSecret(type, data));
      assert.deepEqual(entries, []);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, /^Secret team\/regcred/);
      assert.ok(problems[0]!.includes(part), problems[0]);
      assert.ok(!problems[0]!.includes('canary'), problems[0]);
    });
  }

  it('keeps the good entries beside a broken one', () => {
    const text = JSON.stringify({ auths: { 'a.io': 1, 'b.io': { auth: base64('u:p') } } });
    const { entries, problems } = readDockerConfig(aSecret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': text }));
    assert.deepEqual([entries.map(({ key }) => key), problems.length], [['b.io'], 1]);
  });

  it('reads a password of 700 kB of padding at once: whoever may write a Secret must not hold up the operator', () => {
    const auth = base64(`u:${'\0'.repeat(700_000)}a`);
    const text = JSON.stringify({ auths: { 'a.io': { auth } } });
    const started = performance.now();
    readDockerConfig(aSecret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': text }));
    assert.ok(performance.now() - started < 1_000);
  });

  it('takes missing auths for none', () => {
    const secret = aSecret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{}' });
    assert.deepEqual(readDockerConfig(secret), { entries: [], problems: [] });
  });

  for (const type of ['kubernetes.io/basic-auth', 'Opaque']) {
    it(`binds ${type} to the registry it was named for`, () => {
      const secret = aSecret(type, { username: 'u', password: 'p' }, 'charts.example.com');
      assert.deepEqual(readDockerConfig(secret).entries, [{ key: 'charts.example.com', contents: [basic('u', 'p')] }]);
    });
  }

  it('gives an answer for every text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const config = readDockerConfig(aSecret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': text }));
        assert.ok(config.entries.length >= 0 && config.problems.every((sentence) => sentence.startsWith('Secret team/regcred')));
      }),
    );
  });
});
