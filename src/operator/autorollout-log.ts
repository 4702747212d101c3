import { canonicalRepository, effectiveTag, parseImageReference } from '../core/image-reference.ts';
import type { Plan } from '../core/plan.ts';
import type { Reason } from '../core/reasons.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import type { Log } from '../ports.ts';
import type { Notes } from './notes.ts';
import { newsIn } from './same-news.ts';

/** Lines about labelled workloads that people of kube-autorollout search for, word for word. */

export const autorolloutLabel = 'kube-autorollout/enabled=true';

/** What a tick of the schedule begins with: once per kind. */
export function logScan(workloads: Iterable<Workload>, log: Log): void {
  const counts = new Map<string, number>();
  for (const { autorollout, kind } of workloads) if (autorollout) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [kind, resource_count] of counts) {
    log.info({ resource_count, kind, label: autorolloutLabel }, 'Scanning for digest changes in resources');
  }
}

interface Line {
  readonly level: 'debug' | 'info' | 'warn';
  readonly message: string;
}

const notReady: Line = { level: 'warn', message: 'Skipping resource because its pods/containers are not scheduled or ready yet' };
const noAnswer: Line = { level: 'warn', message: 'Skipping container because registry lookup failed' };

const lines: Readonly<Partial<Record<Reason, Line>>> = {
  UpToDate: { level: 'debug', message: 'Skipping resource, digest is up to date' },
  DesiredZero: { level: 'info', message: 'Skipping resource as desired and actual replicas are zero' },
  PullPolicyNotAlways: {
    level: 'warn',
    message: 'Container has a misconfigured imagePullPolicy, a restart would not pull: set it to Always',
  },
  NoRunningPod: notReady,
  RunningDigestUnknown: notReady,
  RegistryUnavailable: noAnswer,
  NoCredentialAccepted: noAnswer,
  TagNotFound: noAnswer,
};

/** Why a container of a labelled workload is passed over: once per change. */
export function logSkipped(workload: Workload, plan: Plan, { log, notes }: { readonly log: Log; readonly notes: Notes }): void {
  if (!workload.autorollout) return;
  const { kind, namespace, name } = workload;
  for (const { container, image, reason, message } of plan.slots) {
    const line = lines[reason];
    if (!notes.isNews(workloadKey(workload), line ? `${reason} ${newsIn(message)}` : '', `skip ${container}`) || !line) continue;
    log[line.level]({ kind, namespace, resource: name, container, image, reason, error: message }, line.message);
  }
}

/** A look at the registry that failed, for each container of a labelled workload that it was for; without a tag for all of the repository. */
export function logLookupFailed(
  workload: Workload,
  { repository, tag }: { readonly repository: string; readonly tag: string | undefined },
  { reason, message }: { readonly reason: Reason; readonly message: string },
  log: Log,
): void {
  if (!workload.autorollout) return;
  const { kind, namespace, name } = workload;
  for (const { container, image } of workload.slots) {
    const reference = parseImageReference(image);
    if ('invalid' in reference || canonicalRepository(reference) !== repository) continue;
    if (tag !== undefined && effectiveTag(reference) !== tag) continue;
    log[noAnswer.level]({ kind, namespace, resource: name, container, image, reason, error: message }, noAnswer.message);
  }
}
