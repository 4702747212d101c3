import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OutboundError, RegistryError, type RegistryErrorCode } from '../errors.ts';
import { adviceFor } from './registry-advice.ts';

const registry = 'reg.example:5000';
const regcred = ['Secret shop/regcred', 'anonymous'];
const nobody = ['anonymous'];

function anError(code: RegistryErrorCode, message = 'no', cause?: Error): RegistryError {
  return new RegistryError(code, message, { registry, repository: 'team/app', operation: 'resolve', cause });
}

const table: readonly (readonly [code: RegistryErrorCode, sources: readonly string[], isPlainHttp: boolean, says: RegExp])[] = [
  ['Unauthorized', regcred, false, /valid login for reg\.example:5000 into Secret shop\/regcred;/],
  ['Unauthorized', nobody, false, /create secret docker-registry .*--docker-server=reg\.example:5000 .*imagePullSecrets/],
  ['Denied', regcred, false, /account in Secret shop\/regcred the right/],
  ['Denied', nobody, false, /imagePullSecrets/],
  ['NotFound', regcred, false, /names of repository and tag, and that the account in Secret shop\/regcred/],
  ['NotFound', nobody, false, /also says so when a login is missing/],
  ['RateLimited', nobody, false, /cool-down/],
  ['Unavailable', nobody, false, /reg\.example:5000 is up/],
  ['Timeout', nobody, false, /network policies/],
  ['Blocked', nobody, false, /allowedRegistries/],
  ['Protocol', nobody, false, /proxy$/],
  ['Protocol', nobody, true, /not HTTPS$/],
];

const tls: readonly (readonly [message: string, says: RegExp])[] = [
  ['unable to verify the first certificate', /caCertificatePaths/],
  ['ssl3_get_record:wrong version number', /HEADWIND_REGISTRY_INSECURE_HOSTS/],
  ['packet length too long', /plain HTTP/],
];

describe('operator/registry-advice', () => {
  for (const [code, sources, isPlainHttp, says] of table) {
    it(`${code} with ${sources.join(' and ')}${isPlainHttp ? ' over plain HTTP' : ''}`, () => {
      assert.match(adviceFor(anError(code), { registry, sources, isPlainHttp }), says);
    });
  }

  const blocked: readonly (readonly [message: string, says: RegExp])[] = [
    [
      'GET https://auth.example/token: auth.example cannot be contacted: the address 10.0.0.1 is private; if it may be …',
      /^set allowPrivate/,
    ],
    ['HEAD http://169.254.169.254/: the address is link-local, multicast or a metadata service.', /never contacted: .*reg\.example:5000/],
    ['reg.example:5000 is not among allowedRegistries (ghcr.io); add it there if it may be asked.', /allowedRegistries/],
  ];
  for (const [message, says] of blocked) {
    it(`Blocked: ${message}`, () => {
      assert.match(adviceFor(anError('Blocked', message), { registry, sources: nobody, isPlainHttp: false }), says);
    });
  }

  for (const [message, says] of tls) {
    it(`TLS: ${message}`, () => {
      const error = anError('Unavailable', message, new OutboundError('Tls', 'https://reg.example:5000', message));
      assert.match(adviceFor(error, { registry, sources: nobody, isPlainHttp: false }), says);
    });
  }
});
