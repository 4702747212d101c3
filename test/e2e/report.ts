import type { TestContext } from 'node:test';
import type { ClusterAccess } from '../cluster/access.ts';
import type { KubeObject } from '../cluster/kube-client.ts';

const collections = [
  ['apis/headwind.sh/v1alpha1', 'updaterequests'],
  ['apis/apps/v1', 'deployments'],
  ['apis/apps/v1', 'statefulsets'],
  ['apis/apps/v1', 'daemonsets'],
  ['apis/batch/v1', 'cronjobs'],
  ['api/v1', 'pods'],
  ['apis/coordination.k8s.io/v1', 'leases'],
  ['apis/events.k8s.io/v1', 'events'],
] as const;

/** Within `t.after`; the types of Node do not know `passed` yet. */
export function hasPassed(t: TestContext): boolean {
  return 'passed' in t && t.passed === true;
}

/** Prints what a person needs to understand a failed test: the operator's log and the objects of the namespaces, those that concern it. */
export async function reportFailure(
  t: TestContext,
  cluster: ClusterAccess,
  namespaces: readonly string[],
  logs: string,
  concerns: (description: string) => boolean = () => true,
): Promise<void> {
  const objects: string[] = [];
  for (const namespace of namespaces) {
    for (const [base, plural] of collections) {
      const found = await cluster.admin.list(`/${base}/namespaces/${namespace}/${plural}`).catch(() => []);
      objects.push(...found.map(describeObject).filter(concerns));
    }
  }
  console.error(`=== failed: ${t.fullName}\n${logs}\n--- objects\n${objects.join('\n')}\n=== end of ${t.fullName}`);
}

function describeObject({ kind, metadata, spec, status, reason, note, regarding }: KubeObject): string {
  const { name, generation, annotations } = metadata;
  if (kind === 'Event') return `Event ${regarding?.kind}/${regarding?.name} ${reason}: ${note}`;
  return `${kind} ${name} ${JSON.stringify({ generation, annotations, spec, status })}`;
}
