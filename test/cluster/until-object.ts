import { errorCode } from './error-code.ts';
import type { KubeClient, KubeObject } from './kube-client.ts';
import { timeoutMessage, until } from './until.ts';

export interface UntilObjectOptions {
  readonly timeoutMs?: number;
  readonly description?: string;
}

/** Waits until the object at `path` satisfies the predicate (undefined: there is none), and gives it. */
export async function untilObject(
  admin: KubeClient,
  path: string,
  predicate: (object: KubeObject | undefined) => boolean,
  { timeoutMs = 30_000, description = `${path} is as wanted` }: UntilObjectOptions = {},
): Promise<KubeObject | undefined> {
  const collection = path.slice(0, path.lastIndexOf('/'));
  const selector = encodeURIComponent(`metadata.name=${path.slice(path.lastIndexOf('/') + 1)}`);
  const stop = AbortSignal.timeout(timeoutMs);
  let last = await admin.get(path);
  if (predicate(last)) return last;
  while (!stop.aborted) {
    try {
      for await (const { type, object } of admin.watch(`${collection}?fieldSelector=${selector}`, stop)) {
        last = type === 'DELETED' ? undefined : object;
        if (predicate(last)) return last;
      }
    } catch (error) {
      if (!stop.aborted && !isLostConnection(error)) throw error;
    }
    if (!stop.aborted) {
      last = await until(`${path} can be read`, async () => ({ object: await admin.get(path) }), { timeoutMs }).then((r) => r.object);
      if (predicate(last)) return last;
    }
  }
  throw new Error(timeoutMessage(description, timeoutMs, last && { ...last, metadata: { ...last.metadata, managedFields: undefined } }));
}

function isLostConnection(error: unknown): boolean {
  return errorCode(error) !== undefined;
}

/** The rules of `kubectl rollout status`. */
export function isRolledOut({ kind, metadata, spec, status = {} }: KubeObject): boolean {
  if ((status.observedGeneration ?? 0) < metadata['generation']) return false;
  if (kind === 'DaemonSet' || status.desiredNumberScheduled !== undefined) {
    return status.updatedNumberScheduled === status.desiredNumberScheduled && status.numberAvailable === status.desiredNumberScheduled;
  }
  const wanted = spec.replicas ?? 1;
  const isUpdated = (status.updatedReplicas ?? 0) === wanted && (status.replicas ?? 0) === wanted;
  return isUpdated && (status.availableReplicas ?? 0) === wanted;
}

export function isTrue(object: KubeObject | undefined, condition: string): boolean {
  return object?.['status']?.conditions?.some((c: any) => c.type === condition && c.status === 'True') === true;
}
