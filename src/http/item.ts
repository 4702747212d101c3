import { readLastUpdate } from '../core/history.ts';
import { effectiveTag, parseImageReference } from '../core/image-reference.ts';
import { formatTime } from '../core/duration.ts';
import { readSettings } from '../core/settings.ts';
import { isOpen, phaseOf } from '../core/update-request.ts';
import type { Condition, Phase, UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';

/** An update request as the API shows it: the stored object, what published clients expect beside it, and flat copies. */
export interface Item extends Omit<UpdateRequest, 'spec' | 'status'> {
  readonly spec: UpdateRequest['spec'] & { readonly currentVersion: string; readonly newVersion: string };
  readonly status: UpdateRequest['status'] & { readonly phase: Phase; readonly createdAt: string };
  readonly namespace: string;
  readonly name: string;
  /** The target's name, whatever its kind. */
  readonly deployment: string;
  readonly resourceKind: string;
  readonly container?: string;
  readonly currentImage: string;
  readonly newImage: string;
  readonly policy: string;
  readonly phase: Phase;
  readonly digest?: string;
  readonly nextAllowedAt?: string;
  readonly conditions: readonly Condition[];
  /** What the caller may do with requests of this namespace, whatever the phase. */
  readonly can: { readonly approve: boolean; readonly reject: boolean };
}

/** `workload` is the target as the cache has it; without it nothing is said about when the change may happen. */
export function toItem(request: UpdateRequest, workload: Workload | undefined, now: number, can: Item['can']): Item {
  const { spec, metadata } = request;
  const phase = phaseOf(request);
  const { rejectionReason: _stored, ...status } = request.status;
  const nextAllowedAt = isOpen(request) ? nextAllowed(request, workload, now) : undefined;
  return {
    ...request,
    spec: { ...spec, currentVersion: versionOf(spec.currentImage), newVersion: versionOf(spec.newImage) },
    status: {
      ...status,
      phase,
      createdAt: metadata.creationTimestamp,
      ...(phase === 'Rejected' ? { rejectionReason: status.message ?? 'Rejected by user' } : {}),
    },
    namespace: metadata.namespace,
    name: metadata.name,
    deployment: spec.targetRef.name,
    resourceKind: spec.targetRef.kind,
    ...(spec.containerName === undefined ? {} : { container: spec.containerName }),
    currentImage: spec.currentImage,
    newImage: spec.newImage,
    policy: spec.policy,
    phase,
    ...(spec.newDigest === undefined ? {} : { digest: spec.newDigest }),
    ...(nextAllowedAt === undefined ? {} : { nextAllowedAt }),
    conditions: status.conditions ?? [],
    can,
  };
}

/** The tag of an image or the version of a chart; the digest where there is no tag. */
export function versionOf(image: string): string {
  const reference = parseImageReference(image);
  if (!('invalid' in reference)) return effectiveTag(reference) ?? reference.digest ?? image;
  // A chart version may hold a `+`, which no tag can.
  const colon = image.lastIndexOf(':');
  return colon < 0 ? image : image.slice(colon + 1);
}

/** When the minimum interval of the workload is over, if that is still to come and counts for this request. */
function nextAllowed(request: UpdateRequest, workload: Workload | undefined, now: number): string | undefined {
  const { containerName, trigger = 'manual' } = request.spec;
  if (!workload || containerName === undefined || trigger === 'manual' || request.status.force === true) return undefined;
  const last = readLastUpdate(workload.annotations, now);
  const settings = readSettings(workload.annotations, [containerName], { autorollout: workload.autorollout }).container(containerName);
  if (last === undefined || 'held' in settings) return undefined;
  const until = last + settings.minUpdateIntervalMs;
  return until > now ? formatTime(until) : undefined;
}
