import type { ImageReference } from './core/image-reference.ts';
import type { MetricName } from './core/metric-table.ts';
import type { Reason } from './core/reasons.ts';
import type { UpdateRequest, UpdateRequestSpec, UpdateRequestStatus } from './core/update-request-schema.ts';
import type { Workload, WorkloadRef } from './core/workload.ts';

/** What the operator needs from the world. Adapters implement these; tests use fakes that pass the same contracts. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Metrics {
  increment(name: MetricName, labels?: Readonly<Record<string, string>>, by?: number): void;
  set(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: MetricName, seconds: number, labels?: Readonly<Record<string, string>>): void;
  /** Forgets all label values of a gauge, before it is set anew from a snapshot. */
  reset(name: MetricName): void;
}

/** What one patch changes: images of containers by name, our own annotations, and for a restart one annotation of the pod template. Nothing else is touched. */
export interface WorkloadChange {
  readonly images: ReadonlyMap<string, string>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly restart?: RestartMark | undefined;
}

/** Pods are replaced although no image text changes. */
export interface RestartMark {
  readonly annotation: 'kubectl.kubernetes.io/restartedAt' | 'kube-autorollout/restartedAt';
  /** RFC 3339, whole seconds, `Z`. */
  readonly at: string;
  readonly fieldManager: 'headwind' | 'kube-autorollout';
}

/** A live pod (not terminating, not finished) that belongs to a workload by owner uid. */
export interface RunningPod {
  readonly name: string;
  readonly uid: string;
  /** Of the newest revision of the workload's template. */
  readonly isCurrentRevision: boolean;
  readonly isReady: boolean;
  readonly containers: readonly RunningContainer[];
  /** Those that it lists, with what admission put there; missing where it lists none. */
  readonly pullSecretNames?: readonly string[];
  /** Of the node, when it may be read. */
  readonly platform: Platform | undefined;
}

export interface RunningContainer {
  readonly container: string;
  /** As the pod's spec has it, never as the status reports it. */
  readonly image: string;
  /** The digest in `imageID`: of an index, of a manifest, or, with `isConfig`, of an image configuration. Undefined while it starts. */
  readonly digest: string | undefined;
  readonly isConfig: boolean;
  /** Why it waits (`ImagePullBackOff`), if it does. */
  readonly waiting: string | undefined;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** The pods of a workload, read when they are needed and never kept. Throws ApiError. */
export interface Pods {
  of(workload: Workload, signal: AbortSignal): Promise<readonly RunningPod[]>;
  /** The distinct platforms of the nodes of the cluster, kept for minutes; undefined when they may not be read. */
  platforms(signal: AbortSignal): Promise<readonly Platform[] | undefined>;
  /** Deletes one pod of exactly that uid; one that is gone already is fine. */
  delete(workload: Workload, pod: RunningPod, signal: AbortSignal): Promise<void>;
}

/** Managed workloads of every kind, read from the watch cache. A read never makes a request. */
export interface Workloads {
  get(ref: WorkloadRef): Workload | undefined;
  all(): Iterable<Workload>;
  /** Managed workloads that have a container of this canonical repository (`docker.io/library/nginx`). */
  using(canonicalRepository: string): Iterable<Workload>;
  /**
   * One patch that carries the resourceVersion of `workload`; the cache shows the result at once.
   * Throws ApiError: `isConflict` when the object changed since it was read, `isRefusal` when the API server refuses.
   */
  apply(workload: Workload, change: WorkloadChange, signal: AbortSignal): Promise<Workload>;
}

export interface NewUpdateRequest {
  readonly namespace: string;
  readonly name: string;
  readonly owner: Workload;
  readonly spec: UpdateRequestSpec;
}

/** UpdateRequests, read from the watch cache. A read never makes a request; a write is visible in the cache at once. */
export interface UpdateRequests {
  get(namespace: string, name: string): UpdateRequest | undefined;
  all(): Iterable<UpdateRequest>;
  /** Those of the workload's own namespace whose `spec.targetRef` names its kind and name. */
  of(ref: WorkloadRef): readonly UpdateRequest[];
  /** Throws ApiError; `isConflict` when a request of that name exists. */
  create(request: NewUpdateRequest, signal: AbortSignal): Promise<UpdateRequest>;
  /**
   * Replaces the given members of `status` (`undefined` removes one) with the resourceVersion of `request`, then gives the object as stored.
   * Throws ApiError; `isConflict` when it changed since it was read.
   */
  setStatus(request: UpdateRequest, change: StatusChange, signal: AbortSignal): Promise<UpdateRequest>;
  /** Fills `spec.newDigest`, once: what an approval of a request made by hand covers. Throws like setStatus. */
  setNewDigest(request: UpdateRequest, digest: string, signal: AbortSignal): Promise<UpdateRequest>;
  delete(request: UpdateRequest, signal: AbortSignal): Promise<void>;
}

export type StatusChange = { readonly [K in keyof UpdateRequestStatus]?: UpdateRequestStatus[K] | undefined };

/** Tells when the cache learns something new about one UpdateRequest, so that a caller can wait without polling. */
export interface RequestChanges {
  /** Resolves at the next change (or deletion) of that request in the cache, or when `signal` aborts; never rejects. */
  next(namespace: string, name: string, signal: AbortSignal): Promise<void>;
}

export type AuditAction =
  | 'approve'
  | 'reject'
  | 'delete'
  | 'auto_approve'
  | 'apply'
  | 'expire'
  | 'supersede'
  | 'rollback'
  | 'auto_rollback'
  | 'check'
  | 'bulk_approve'
  | 'bulk_reject'
  | 'settings_update'
  | 'test_notification'
  | 'login';

/** One audit line: who did what to which object, and what came of it. The members are the fields of the line, as users grep for them. */
export interface AuditEntry {
  readonly username: string;
  readonly action: AuditAction;
  readonly resource_type: 'UpdateRequest' | 'Workload' | 'Settings';
  readonly namespace: string;
  readonly name: string;
  readonly result: 'success' | 'failed';
  /** Reason of a rejection in the words of the person, or the PascalCase reason of the failure. */
  readonly reason?: string | undefined;
  readonly target_kind?: string | undefined;
  readonly target_name?: string | undefined;
  readonly from_image?: string | undefined;
  readonly to_image?: string | undefined;
  readonly digest?: string | undefined;
  readonly force?: boolean | undefined;
  readonly source: 'api' | 'ui' | 'plugin' | 'kubernetes' | 'operator';
  /** Is `username` a verified identity? */
  readonly verified: boolean;
  readonly auth_mode?: string | undefined;
  readonly remote_addr?: string | undefined;
  readonly request_id?: string | undefined;
  readonly http_status?: number | undefined;
}

/** Writes one audit line; never fails, never filtered by the log level. */
export type Audit = (entry: AuditEntry) => void;

/** Who pulls: decides which pull secrets count, by the kubelet's rule. */
export interface PullContext {
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly pullSecretNames: readonly string[];
  /** What a live pod lists, where somebody has read the pods: shows what admission put there, and counts before the template's. */
  readonly podPullSecretNames?: readonly string[] | undefined;
}

/** A pull secret as stored; `data` is decoded from base64. */
export interface PullSecret {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
  /** Set where a user named this secret for one registry (`secretRef`): a user and password without a host go there only. */
  readonly registry?: string | undefined;
}

export interface Problem {
  readonly reason: Reason;
  readonly message: string;
}

/** Pull secrets by name, never listed. A missing or forbidden one is a problem in the answer, not an exception. */
export interface PullSecrets {
  /**
   * Those that a live pod lists, else the template's; only if there are none, those of its ServiceAccount. Kept for at most a minute; `fresh` reads
   * again, except what may not be read.
   */
  of(
    context: PullContext,
    signal: AbortSignal,
    options?: { fresh?: boolean },
  ): Promise<{ secrets: readonly PullSecret[]; problems: readonly Problem[] }>;
}

/** A credential and where it came from. The secret part is in a member that prints as `[redacted]` everywhere. */
export interface Credential {
  /** `Secret team/regcred`, `anonymous`. */
  readonly source: string;
  /** Opaque to everybody but the registry adapter. */
  readonly secret: object;
}

/** The ordered credentials to try for a repository; two sets with the same fingerprint give the same answers. */
export interface CredentialSet {
  /** A keyed hash (key of this process): safe to use as a map key, useless outside. */
  readonly fingerprint: string;
  readonly candidates: readonly Credential[];
  /** Sentences about secrets that could not be read (malformed docker config). */
  readonly problems: readonly Problem[];
  /** Whose turn a call takes where calls of a registry queue, for example `namespace team`; without it these credentials are a lane of their own. */
  readonly lane?: string;
}

export interface RepositoryRef {
  readonly registry: string;
  readonly repository: string;
}

/** What registries answer. Every method throws RegistryError for expected failures. */
export interface Registry {
  /**
   * Matching entries by the kubelet's rule, in its order, then what clouds, the configuration and credential programs have for the registry,
   * then anonymous. Pure: what somebody else gives is asked for when it is tried. `context` says whose pods pull.
   */
  credentials(repository: RepositoryRef, secrets: readonly PullSecret[], context?: PullContext): CredentialSet;
  /** Digest behind a tag or digest, by HEAD where the registry allows. */
  resolve(repository: RepositoryRef, reference: string, credentials: CredentialSet, signal: AbortSignal): Promise<{ digest: string }>;
  /** What a digest stands for, from the manifest behind it: fetched once and verified, then kept. `NotFound` when the registry no longer has it. */
  contents(repository: RepositoryRef, digest: string, credentials: CredentialSet, signal: AbortSignal): Promise<ImageContents>;
  /** When tags were pushed, where the registry's vendor tells it; undefined where it does not. `truncated` like that of `tags`. */
  created(
    repository: RepositoryRef,
    credentials: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ tags: readonly { readonly tag: string; readonly pushedAtMs: number }[]; truncated: boolean } | undefined>;
  /** The complete list of tags. `truncated` when a limit ended it: nobody may act on such a list. */
  tags(
    repository: RepositoryRef,
    credentials: CredentialSet,
    signal: AbortSignal,
  ): Promise<{ tags: readonly string[]; truncated: boolean }>;
}

/** What a digest stands for. */
export interface ImageContents {
  readonly digest: string;
  /** `index` lists images by platform, `image` is one, `other` runs nowhere (chart, signature). */
  readonly kind: 'index' | 'image' | 'other';
  /** Of an index its images, without attestations and the like; of an image itself, with unknown platform. */
  readonly images: readonly PlatformImage[];
  /** Of an image: the digest of its configuration, which some runtimes report. */
  readonly config: string | undefined;
}

export interface PlatformImage {
  readonly digest: string;
  readonly os: string | undefined;
  readonly architecture: string | undefined;
  readonly variant: string | undefined;
}

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Kubernetes Events. Never awaited, never fails the caller; repeats are aggregated and limited per object. */
export interface Events {
  emit(subject: EventSubject, reason: Reason, message: string): void;
}

export type { ImageReference };
