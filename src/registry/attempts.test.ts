import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createOutbound } from '../outbound.ts';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin } from '../../test/fakes/registry-setup.ts';
import { createRegistry } from './client.ts';
import type { CredentialAttempt } from './exchange.ts';

const nothing = (): void => undefined;
const scheme = ['basic', 'bearer'] as const;

describe('registry/attempts', () => {
  for (const auth of scheme) {
    it(`tells which credential was tried with which result, and no secret (${auth})`, async (t) => {
      const fake = await startFakeRegistry();
      fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, { auth, users: { bot: 'canary-right' } });
      const outbound = createOutbound({ userAgent: 'headwind/test' });
      const attempts: CredentialAttempt[] = [];
      const registry = createRegistry({
        outbound,
        clock: { now: () => Date.now() },
        metrics: { increment: nothing, set: nothing, observe: nothing, reset: nothing },
        log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
        onAttempt: (attempt) => void attempts.push(attempt),
      });
      t.after(async () => {
        await registry.close();
        await outbound.close();
        await fake.close();
      });
      const repository = { registry: fake.host, repository: 'acme/app' };
      const secrets = [aLogin(fake.host, 'bot', 'canary-wrong', 'old'), aLogin(fake.host, 'bot', 'canary-right', 'new')];
      await registry.resolve(repository, '1.0.0', registry.credentials(repository, secrets), new AbortController().signal);
      assert.deepEqual(
        attempts.map(({ operation, source, outcome, httpStatus }) => [operation, source, outcome, httpStatus]),
        [
          ['resolve', 'Secret team/old', 'login', 401],
          ['resolve', 'Secret team/new', 'accepted', 200],
        ],
      );
      assert.doesNotMatch(inspect(attempts) + JSON.stringify(attempts), /canary/);
    });
  }
});
