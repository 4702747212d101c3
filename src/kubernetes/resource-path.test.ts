import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resourcePath } from './resource-path.ts';

const table = [
  [['v1', 'secrets'], '/api/v1/secrets'],
  [['apps/v1', 'deployments', 'shop'], '/apis/apps/v1/namespaces/shop/deployments'],
  [['apps/v1', 'deployments', 'shop', 'web'], '/apis/apps/v1/namespaces/shop/deployments/web'],
  [['apps/v1', 'deployments', '../kube-system', 'a/b?c'], '/apis/apps/v1/namespaces/..%2Fkube-system/deployments/a%2Fb%3Fc'],
] as const;

describe('kubernetes/resource-path', () => {
  for (const [[apiVersion, resource, ...rest], path] of table) {
    it(path, () => assert.equal(resourcePath(apiVersion, resource, ...rest), path));
  }
});
