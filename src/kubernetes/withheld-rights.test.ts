import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutRights } from './withheld-rights.ts';

const withheld = new Set(['secrets', 'nodes', 'cronjobs.batch']);

const table: readonly (readonly [path: string, isRefused: boolean])[] = [
  ['/api/v1/namespaces/shop/secrets/regcred', true],
  ['/api/v1/secrets', true],
  ['/api/v1/nodes/one', true],
  ['/api/v1/nodes', true],
  ['/apis/batch/v1/namespaces/shop/cronjobs', true],
  ['/apis/batch/v1/cronjobs', true],
  ['/apis/batch/v1/jobs', false],
  ['/api/v1/namespaces/secrets', false],
  ['/api/v1/namespaces/nodes/pods', false],
  ['/apis/example.com/v1/namespaces/shop/secrets/mine', false],
  ['/api/v1/namespaces/shop/serviceaccounts/default', false],
  ['/version', false],
];

/** A client that remembers what it was asked. */
function recording() {
  const asked: string[] = [];
  const answer = (path: string): Promise<any> => {
    asked.push(path);
    return Promise.resolve({});
  };
  return { asked, json: (_method: string, path: string) => answer(path), open: (_method: string, path: string) => answer(path) };
}

describe('kubernetes/withheld-rights', () => {
  for (const [path, isRefused] of table) {
    for (const call of ['json', 'open'] as const) {
      it(`${call} of ${path} is ${isRefused ? 'refused without a request' : 'asked for'}`, async () => {
        const client = recording();
        const answer = withoutRights(client, withheld)[call]('GET', path);
        if (isRefused) await assert.rejects(answer, { status: 403, message: /withheld on purpose/ });
        else await answer;
        assert.deepEqual(client.asked, isRefused ? [] : [path]);
      });
    }
  }

  it('is the client itself when nothing is withheld', () => {
    const client = recording();
    assert.equal(withoutRights(client, new Set()), client);
  });
});
