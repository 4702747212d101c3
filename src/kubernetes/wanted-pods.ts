import { numberOf, type RawObject, recordAt } from './raw.ts';

/** Scaled to nothing: a new template changes no pod. The API server writes the default of 1. */
export function wantsNoReplicas(object: RawObject): boolean {
  return numberOf(recordAt(object, 'spec')['replicas']) === 0;
}

/** No node is to run the DaemonSet. Its status says 0 as well before the controller has looked for the first time. */
export function wantsNoNode(object: RawObject): boolean {
  const status = recordAt(object, 'status');
  return (numberOf(status['observedGeneration']) ?? 0) > 0 && (numberOf(status['desiredNumberScheduled']) ?? 0) === 0;
}

/** The StatefulSet keeps the pods below its partition at the old revision. */
export function hasPartition(object: RawObject): boolean {
  const strategy = recordAt(object, 'spec', 'updateStrategy');
  return strategy['type'] !== 'OnDelete' && (numberOf(recordAt(strategy, 'rollingUpdate')['partition']) ?? 0) > 0;
}
