import type { UpdateRequests, Workloads } from '../ports.ts';

/** The same ports, but every write first makes sure that this process still leads: one that was frozen notices it nowhere else. */
export function guardWrites(
  workloads: Workloads,
  updateRequests: UpdateRequests,
  assertLeading: () => void,
): { workloads: Workloads; updateRequests: UpdateRequests } {
  return {
    workloads: {
      get: (ref) => workloads.get(ref),
      all: () => workloads.all(),
      using: (repository) => workloads.using(repository),
      async apply(...change) {
        assertLeading();
        return workloads.apply(...change);
      },
    },
    updateRequests: {
      get: (namespace, name) => updateRequests.get(namespace, name),
      all: () => updateRequests.all(),
      of: (ref) => updateRequests.of(ref),
      async create(...request) {
        assertLeading();
        return updateRequests.create(...request);
      },
      async setStatus(...change) {
        assertLeading();
        return updateRequests.setStatus(...change);
      },
      async setNewDigest(...change) {
        assertLeading();
        return updateRequests.setNewDigest(...change);
      },
      async delete(...request) {
        assertLeading();
        return updateRequests.delete(...request);
      },
    },
  };
}
