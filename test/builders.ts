import type { UpdateRequest, UpdateRequestSpec, UpdateRequestStatus } from '../src/core/update-request-schema.ts';
import type { Workload } from '../src/core/workload.ts';

export interface UpdateRequestOverrides {
  readonly metadata?: Partial<UpdateRequest['metadata']>;
  readonly spec?: Partial<Omit<UpdateRequestSpec, 'targetRef'>> & { readonly targetRef?: Partial<UpdateRequestSpec['targetRef']> };
  readonly status?: UpdateRequestStatus;
}

const hex = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** A Pending request to move container `web` of Deployment `shop/web` from nginx 1.25 to 1.26. A test states only what it is about. */
export function anUpdateRequest(overrides: UpdateRequestOverrides = {}): UpdateRequest {
  const namespace = overrides.metadata?.namespace ?? 'shop';
  return {
    apiVersion: 'headwind.sh/v1alpha1',
    kind: 'UpdateRequest',
    metadata: {
      namespace,
      name: 'web-web-1-26-0a1b2c3d',
      uid: `uid-${namespace}-${overrides.metadata?.name ?? 'web'}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-15T10:00:00Z',
      ...overrides.metadata,
    },
    spec: {
      containerName: 'web',
      currentImage: 'nginx:1.25',
      newImage: 'nginx:1.26',
      newDigest: hex('b'),
      updateType: 'image',
      policy: 'minor',
      trigger: 'webhook',
      reason: '1.26 is newer than 1.25',
      requireApproval: true,
      expiresAt: '2026-01-16T10:00:00Z',
      ...overrides.spec,
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace, uid: 'uid-web', ...overrides.spec?.targetRef },
    },
    status: overrides.status ?? { phase: 'Pending' },
  };
}

/** Deployment `shop/web` with one container `web` of nginx 1.25 under policy `minor`, rolled out. A test states only what it is about. */
export function aWorkload(overrides: Partial<Workload> = {}): Workload {
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    namespace: 'shop',
    name: 'web',
    uid: 'uid-web',
    resourceVersion: '1',
    generation: 1,
    annotations: { 'headwind.sh/policy': 'minor' },
    slots: [{ container: 'web', init: false, image: 'nginx:1.25' }],
    serviceAccountName: 'default',
    pullSecretNames: [],
    paused: false,
    autorollout: false,
    wantsNoPods: false,
    partitioned: false,
    rollout: { settled: true, healthy: true, message: 'all 1 pods are updated and available' },
    ...overrides,
  };
}
