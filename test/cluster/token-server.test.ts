import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { makeAuthority } from './certificates.ts';
import { makeStateFolder, removeStateFolder } from './processes.ts';
import { startTokenServer } from './token-server.ts';

const users = { robot: { password: 'pass:word' }, guest: { password: 'guest', repositories: /^public\// } };

async function start(t: TestContext) {
  const folder = makeStateFolder('tokens');
  const signer = await makeAuthority(folder, 'tokens');
  const server = await startTokenServer({ signer, users, anonymousPull: /^public\// });
  t.after(async () => {
    await server.close();
    removeStateFolder(folder);
  });
  return server;
}

function basic(text: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } };
}

function claimsOf(token: string): any {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

const app = 'scope=repository%3Ateam%2Fapp%3Apull%2Cpush';
const open = 'scope=repository%3Apublic%2Fapp%3Apull%2Cpush';
const grants: readonly (readonly [who: string, login: string | undefined, query: string, status: number, access: readonly string[]])[] = [
  ['a user', 'robot:pass:word', app, 200, ['team/app pull,push']],
  ['a user with several scopes', 'robot:pass:word', `${app}&${open}`, 200, ['team/app pull,push', 'public/app pull,push']],
  ['a user without scope', 'robot:pass:word', '', 200, []],
  ['a wrong password', 'robot:pass', app, 401, []],
  ['an unknown user', 'toString:x', app, 401, []],
  ['a user with few rights', 'guest:guest', `${app}&${open}`, 200, ['public/app pull,push']],
  ['nobody', undefined, `${app}&${open}`, 200, ['public/app pull']],
];

describe('test/cluster/token-server', () => {
  for (const [who, login, query, status, access] of grants) {
    it(`gives ${who} ${status} and ${access.join(' and ') || 'nothing'}`, async (t) => {
      const { url } = await start(t);
      const answer = await fetch(`${url}?service=registry.test&${query}`, login === undefined ? {} : basic(login));
      assert.equal(answer.status, status);
      if (status !== 200) return;
      const { token }: any = await answer.json();
      const granted: any[] = claimsOf(token).access;
      assert.deepEqual(
        granted.map(({ name, actions }) => `${name} ${actions.join(',')}`),
        access,
      );
    });
  }

  it('exchanges a refresh token, which a login gets when it asks for one', async (t) => {
    const server = await start(t);
    const login: any = await (await fetch(`${server.url}?service=x&offline_token=true`, basic('robot:pass:word'))).json();
    assert.equal(login.refresh_token, server.identityToken('robot'));
    const post = (refreshToken: string) => {
      const scope = 'repository:team/app:pull';
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, service: 'x', scope });
      return fetch(server.url, { method: 'POST', body });
    };
    const { access_token: token }: any = await (await post(login.refresh_token)).json();
    assert.deepEqual([claimsOf(token).sub, claimsOf(token).access[0].name], ['robot', 'team/app']);
    assert.equal((await post('wrong')).status, 401);
    assert.deepEqual(
      server.requests.map(({ method, status, user }) => [method, status, user]),
      [
        ['GET', 200, 'robot'],
        ['POST', 200, 'robot'],
        ['POST', 401, 'anonymous'],
      ],
    );
  });

  it('gives tokens of the life that was set', async (t) => {
    const server = await start(t);
    server.life.seconds = 7;
    const { token, expires_in: says }: any = await (await fetch(server.url)).json();
    const { exp, iat } = claimsOf(token);
    assert.deepEqual([exp - iat, says], [7, 7]);
  });
});
