import type { Workload } from '../core/workload.ts';
import type { RestartMark, WorkloadChange } from '../ports.ts';
import { workloadKinds } from './workload-kinds.ts';

/** A PATCH request for a workload. */
export interface WorkloadPatch {
  readonly contentType: 'application/strategic-merge-patch+json' | 'application/merge-patch+json';
  readonly fieldManager: RestartMark['fieldManager'];
  readonly body: object;
}

/**
 * The patch of a change: images by container name, the mark of a restart, our annotations, the version it was decided on, and nothing else.
 * Throws for what must never be sent: an unknown container, a restart of a CronJob.
 */
export function workloadPatch(workload: Workload, change: WorkloadChange): WorkloadPatch {
  const { images, annotations, restart } = change;
  checkChange(workload, change);
  const metadata = { resourceVersion: workload.resourceVersion, ...(Object.keys(annotations).length > 0 && { annotations }) };
  const template = {
    ...(restart && { metadata: { annotations: { [restart.annotation]: restart.at } } }),
    ...(images.size > 0 && { spec: { ...containerList(workload, images, false), ...containerList(workload, images, true) } }),
  };
  const isEmpty = Object.keys(template).length === 0;
  const body = isEmpty ? { metadata } : { metadata, ...nest(workloadKinds[workload.kind].podTemplate, template) };
  // A merge patch would replace the whole list of containers, so a change with images is never one.
  return images.size === 0 && restart?.fieldManager === 'kube-autorollout'
    ? { contentType: 'application/merge-patch+json', fieldManager: 'kube-autorollout', body }
    : { contentType: 'application/strategic-merge-patch+json', fieldManager: 'headwind', body };
}

function checkChange({ kind, namespace, name, slots }: Workload, { images, restart }: WorkloadChange): void {
  const workload = `${kind} ${namespace}/${name}`;
  if (restart && kind === 'CronJob') {
    throw new Error(
      `${workload} is never restarted: it has no pods to replace, and a Job is not started unasked; its next run pulls the image`,
    );
  }
  for (const container of images.keys()) {
    // The API server would add a container of that name.
    if (!slots.some((slot) => slot.container === container)) throw new Error(`${workload} has no container ${container}`);
  }
}

function containerList({ slots }: Workload, images: WorkloadChange['images'], init: boolean): object {
  const changed = slots.filter((slot) => slot.init === init && images.has(slot.container));
  if (changed.length === 0) return {};
  return { [init ? 'initContainers' : 'containers']: changed.map(({ container }) => ({ name: container, image: images.get(container) })) };
}

function nest(path: readonly string[], value: object): object {
  return path.reduceRight((inner, member) => ({ [member]: inner }), value);
}
