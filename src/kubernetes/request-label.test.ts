import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelRequest } from './request-label.ts';

const table = [
  // method, path, watch, verb, resource
  ['GET', '/apis/apps/v1/deployments', false, 'list', 'deployments'],
  ['GET', '/apis/apps/v1/deployments', true, 'watch', 'deployments'],
  ['GET', '/apis/apps/v1/namespaces/shop/deployments', false, 'list', 'deployments'],
  ['GET', '/apis/apps/v1/namespaces/shop/deployments/web', false, 'get', 'deployments'],
  ['PATCH', '/apis/headwind.sh/v1alpha1/namespaces/shop/updaterequests/x/status', false, 'patch', 'updaterequests/status'],
  ['GET', '/api/v1/namespaces', false, 'list', 'namespaces'],
  ['GET', '/api/v1/namespaces/shop', false, 'get', 'namespaces'],
  ['GET', '/api/v1/namespaces/shop/secrets/regcred', false, 'get', 'secrets'],
  ['PUT', '/apis/coordination.k8s.io/v1/namespaces/x/leases/headwind', false, 'update', 'leases'],
  ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', false, 'create', 'selfsubjectaccessreviews'],
  ['DELETE', '/api/v1/namespaces/a/pods/b?x=1', false, 'delete', 'pods'],
  ['GET', '/version', false, 'get', 'none'],
] as const;

describe('kubernetes/request-label', () => {
  for (const [method, path, isWatch, verb, resource] of table) {
    it(`${method} ${path}${isWatch ? ' (watch)' : ''} is ${verb} ${resource}`, () => {
      assert.deepEqual(labelRequest(method, path, isWatch), { verb, resource });
    });
  }
});
