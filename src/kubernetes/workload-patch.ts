import type { Workload } from '../core/workload.ts';
import type { WorkloadChange } from '../ports.ts';
import { workloadKinds } from './workload-kinds.ts';

/** The strategic merge patch of a change: images by container name, our annotations, the version it was decided on, and nothing else. */
export function workloadPatch(workload: Workload, { images, annotations }: WorkloadChange): object {
  for (const container of images.keys()) {
    // The API server would add a container of that name.
    if (!workload.slots.some((slot) => slot.container === container)) {
      throw new Error(`${workload.kind} ${workload.namespace}/${workload.name} has no container ${container}`);
    }
  }
  const metadata = { resourceVersion: workload.resourceVersion, ...(Object.keys(annotations).length > 0 && { annotations }) };
  const podSpec = { ...containerList('containers', false), ...containerList('initContainers', true) };
  if (images.size === 0) return { metadata };
  return { metadata, ...nest([...workloadKinds[workload.kind].podTemplate, 'spec'], podSpec) };

  function containerList(member: string, init: boolean): object {
    const changed = workload.slots.filter((slot) => slot.init === init && images.has(slot.container));
    return changed.length === 0 ? {} : { [member]: changed.map(({ container }) => ({ name: container, image: images.get(container) })) };
  }
}

function nest(path: readonly string[], value: object): object {
  return path.reduceRight((inner, member) => ({ [member]: inner }), value);
}
