import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from './call.ts';
import { type Refusal, refusalFailure } from './refusal.ts';

const call: Call = {
  endpoint: { registry: 'reg.example', origin: 'https://reg.example', quirks: {} },
  repository: 'team/app',
  operation: 'resolve',
  task: 'cannot resolve reg.example/team/app:1',
  credentials: { registry: 'reg.example', fingerprint: 'x', candidates: [], problems: [], broadKeys: [] },
  signal: new AbortController().signal,
};

const named = 'Secret team/regcred';
const table: readonly (readonly [refusal: Refusal, code: string, says: string])[] = [
  [{ source: named, why: 'login', httpStatus: 401 }, 'Unauthorized', `${named} (the login was refused, HTTP 401)`],
  [
    { source: named, why: 'scope', httpStatus: 401 },
    'Unauthorized',
    `${named} (the login works but gives no right to pull this repository, HTTP 401)`,
  ],
  [{ source: named, why: 'denied', httpStatus: 403 }, 'Denied', `${named} (access was denied, HTTP 403)`],
  [{ source: named, why: 'challenge' }, 'Unauthorized', `${named} (it cannot be used with the kind of login that the registry asks for)`],
  [{ source: named, why: 'unavailable', detail: 'no answer' }, 'Unauthorized', `${named} (it could not be had: no answer)`],
  [{ source: 'anonymous', why: 'login', httpStatus: 401 }, 'Unauthorized', 'anonymous (a login is asked for, HTTP 401)'],
  [{ source: 'anonymous', why: 'challenge', httpStatus: 401 }, 'Unauthorized', 'anonymous (a login is asked for, HTTP 401)'],
  [
    { source: 'anonymous', why: 'scope', httpStatus: 401 },
    'Unauthorized',
    'anonymous (without a login this repository may not be pulled, HTTP 401)',
  ],
  [{ source: 'anonymous', why: 'denied', httpStatus: 403 }, 'Denied', 'anonymous (access was denied, HTTP 403)'],
];

describe('registry/refusal', () => {
  for (const [refusal, code, says] of table) {
    it(`${refusal.source}, ${refusal.why}: ${code}`, () => {
      const error = refusalFailure(call, [refusal]);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(`reg.example accepted no credential; tried ${says}. `), error.message);
    });
  }
});
