import { type WorkloadKind, workloadKindNames } from './workload.ts';

const shortNames: Readonly<Record<string, WorkloadKind>> = { deploy: 'Deployment', sts: 'StatefulSet', ds: 'DaemonSet', cj: 'CronJob' };

/** The kind that a person means: `Deployment`, `deployments`, `deploy`, in any case. */
export function readWorkloadKind(text: string): WorkloadKind | undefined {
  const word = text.trim().toLowerCase();
  if (Object.hasOwn(shortNames, word)) return shortNames[word];
  return workloadKindNames.find((kind) => kind.toLowerCase() === word || `${kind.toLowerCase()}s` === word);
}
