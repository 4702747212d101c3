import { type AnnotationKey, annotationPrefix } from './annotation-table.ts';
import { formatDuration } from './duration.ts';
import type { Annotations, ContainerSettings, Settings } from './settings.ts';

/** One setting as it was understood, and what made it so. */
export interface ExplainedSetting {
  readonly key: AnnotationKey;
  /** In the form in which it could be written. */
  readonly value: string;
  /** The annotation or label that applies, the operator's own setting, or `default`. */
  readonly source: string;
}

/** What holds for one container. */
export function explainContainerSettings(
  annotations: Annotations,
  container: string,
  settings: ContainerSettings,
  autorollout = false,
): ExplainedSetting[] {
  const values: readonly (readonly [AnnotationKey, string])[] = [
    ['policy', settings.policy.text],
    ['require-approval', approvalOf(settings)],
    ['min-update-interval', settings.minUpdateIntervalMs === 0 ? '0' : formatDuration(settings.minUpdateIntervalMs)],
    ['event-source', settings.eventSource],
    ['polling-interval', settings.pollingIntervalMs === undefined ? 'the global interval' : formatDuration(settings.pollingIntervalMs)],
    ['allow-prerelease', String(settings.allowPrerelease)],
    ['adopt', String(settings.adopt)],
    ['match-tag', String(settings.matchTag)],
    ['strict-semver', String(settings.strictSemver)],
    ['track-digest', String(settings.trackDigest)],
    ['digest-mode', settings.digestMode],
    ['ignore-pull-policy', String(settings.ignorePullPolicy)],
    ['ignore-tags', annotations[sourceOf(annotations, 'ignore-tags', container)] ?? 'none'],
    ['order', settings.order ?? 'natural'],
  ];
  return values.map(([key, value]) => ({ key, value, source: sourceOf(annotations, key, container, autorollout) }));
}

/** What holds for the whole workload. */
export function explainWorkloadSettings(annotations: Annotations, settings: Settings): ExplainedSetting[] {
  const dryRunKey = `${annotationPrefix}dry-run`;
  const dryRunSource = settings.dryRun && settings.dryRunBy !== dryRunKey ? settings.dryRunBy : sourceOf(annotations, 'dry-run');
  return [
    { key: 'images', value: annotations[`${annotationPrefix}images`]?.trim() || 'all', source: sourceOf(annotations, 'images') },
    { key: 'auto-rollback', value: String(settings.autoRollback), source: sourceOf(annotations, 'auto-rollback') },
    { key: 'rollback-timeout', value: formatDuration(settings.rollbackTimeoutMs), source: sourceOf(annotations, 'rollback-timeout') },
    { key: 'delete-pods', value: String(settings.deletePods), source: sourceOf(annotations, 'delete-pods') },
    { key: 'dry-run', value: String(settings.dryRun), source: dryRunSource },
  ];
}

const labelled: readonly AnnotationKey[] = ['policy', 'require-approval', 'min-update-interval', 'event-source', 'track-digest'];

function approvalOf({ requireApproval, requireDigestApproval }: ContainerSettings): string {
  return requireApproval === requireDigestApproval
    ? String(requireApproval)
    : `${requireApproval}, for new digests ${requireDigestApproval}`;
}

function sourceOf(annotations: Annotations, key: AnnotationKey, container?: string, autorollout = false): string {
  const ofContainer = `${annotationPrefix}${key}.${container}`;
  if (container !== undefined && ofContainer in annotations) return ofContainer;
  const ofWorkload = annotationPrefix + key;
  if (ofWorkload in annotations) return ofWorkload;
  return autorollout && labelled.includes(key) ? 'label kube-autorollout/enabled' : 'default';
}
