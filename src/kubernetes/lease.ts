import { microTime } from './micro-time.ts';

/** The record by which replicas agree on who leads: `coordination.k8s.io/v1`, written with optimistic concurrency. */
export interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    /** MicroTime: RFC 3339 with six digits. */
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Reads and writes one Lease. Throws ApiError; `isConflict` when somebody else was first. */
export interface LeaseApi {
  /** `undefined` when there is none yet. */
  get(signal: AbortSignal): Promise<Lease | undefined>;
  create(lease: Lease, signal: AbortSignal): Promise<Lease>;
  update(lease: Lease, signal: AbortSignal): Promise<Lease>;
}

/** Where the leader takes what a follower has received. */
export const addressAnnotation = 'headwind.sh/address';

export interface Holding {
  readonly name: string;
  readonly namespace: string;
  readonly identity: string;
  readonly durationMs: number;
  readonly address: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The record in which `identity` holds the Lease from now on. What others wrote into its metadata stays. */
export function heldLease(current: Lease | undefined, holding: Holding): Lease {
  const { identity, durationMs, address, name, namespace } = holding;
  const renewTime = microTime(holding.now);
  const { acquireTime, leaseTransitions = 0, holderIdentity } = current?.spec ?? {};
  const isMine = holderIdentity === identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: withAddress(current?.metadata ?? { name, namespace }, address),
    spec: {
      ...current?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: durationMs / 1000,
      acquireTime: isMine ? (acquireTime ?? renewTime) : renewTime,
      renewTime,
      leaseTransitions: leaseTransitions + (isMine || current === undefined ? 0 : 1),
    },
  };
}

/** The record that lets another replica lead at once: no holder, one second, no address. */
export function releasedLease(current: Lease, now: number): Lease {
  return {
    ...current,
    metadata: withAddress(current.metadata, undefined),
    spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}

function withAddress(metadata: Lease['metadata'], address: string | undefined): Lease['metadata'] {
  const { [addressAnnotation]: _previous, ...annotations } = metadata.annotations ?? {};
  return { ...metadata, annotations: address === undefined ? annotations : { ...annotations, [addressAnnotation]: address } };
}
