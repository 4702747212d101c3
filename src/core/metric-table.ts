/** Every metric, by its name without the prefix `headwind_`. Registration, documentation and tests are made from this table. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds in seconds. */
  readonly buckets?: readonly number[];
}

const reconcileBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export const metricTable = {
  webhook_events_total: { type: 'counter', help: 'Webhook deliveries received' },
  webhook_events_processed: { type: 'counter', help: 'Push events handed on to the check of the registry' },
  updates_pending: { type: 'gauge', help: 'Update requests that wait for approval' },
  updates_approved_total: { type: 'counter', help: 'Update requests approved by a person' },
  updates_rejected_total: { type: 'counter', help: 'Update requests rejected by a person' },
  updates_applied_total: { type: 'counter', help: 'Updates applied to a workload' },
  updates_failed_total: { type: 'counter', help: 'Update requests that failed' },
  updates_skipped_interval_total: { type: 'counter', help: 'Updates that began to wait for the minimum update interval' },
  reconcile_duration_seconds: { type: 'histogram', help: 'Duration of a reconcile', buckets: reconcileBuckets },
  reconcile_errors_total: { type: 'counter', help: 'Reconciles that ended in an error' },
  deployments_watched: { type: 'gauge', help: 'Managed Deployments' },
  statefulsets_watched: { type: 'gauge', help: 'Managed StatefulSets' },
  daemonsets_watched: { type: 'gauge', help: 'Managed DaemonSets' },
  polling_cycles_total: { type: 'counter', help: 'Polling cycles of the global interval that ended' },
  polling_errors_total: { type: 'counter', help: 'Checks of a repository that failed' },
  polling_images_checked_total: { type: 'counter', help: 'Repositories checked' },
  polling_new_tags_found_total: { type: 'counter', help: 'Tags or digests first seen by polling' },
  polling_resources_filtered_total: { type: 'counter', help: 'Workloads passed over by polling because of their event source' },
  updates_total: { type: 'counter', help: 'Changes by outcome', labels: ['kind', 'policy', 'trigger', 'result'] },
  update_requests: { type: 'gauge', help: 'Update requests', labels: ['kind', 'phase'] },
  workloads: { type: 'gauge', help: 'Managed workloads', labels: ['kind', 'policy'] },
  holds: { type: 'gauge', help: 'Containers whose update is held, by reason', labels: ['kind', 'reason'] },
  update_available: { type: 'gauge', help: 'Containers for which a newer image is known', labels: ['kind'] },
  webhook_deliveries_total: { type: 'counter', help: 'Webhook deliveries by result', labels: ['provider', 'result'] },
  webhook_to_patch_seconds: {
    type: 'histogram',
    help: 'Time from a webhook to the patch of the workload',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  },
  registry_requests_total: { type: 'counter', help: 'Requests to registries', labels: ['registry', 'operation', 'result'] },
  registry_request_duration_seconds: {
    type: 'histogram',
    help: 'Duration of requests to registries',
    labels: ['registry', 'operation'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
  },
  registry_ratelimit_remaining: { type: 'gauge', help: 'What is left of the limit, as the registry last said', labels: ['registry'] },
  registry_cool_down_until_seconds: {
    type: 'gauge',
    help: 'Unix time until which a registry that asked for it is left alone',
    labels: ['registry'],
  },
  registry_auth_failures_total: { type: 'counter', help: 'Refused registry credentials', labels: ['registry', 'reason'] },
  registry_cache_hits_total: { type: 'counter', help: 'Answers served without a request', labels: ['cache'] },
  polls_total: { type: 'counter', help: 'Checks of a repository by result', labels: ['result'] },
  http_requests_total: { type: 'counter', help: 'HTTP requests served', labels: ['server', 'route', 'code'] },
  kube_requests_total: { type: 'counter', help: 'Requests to the API server', labels: ['verb', 'resource', 'code'] },
  queue_depth: { type: 'gauge', help: 'Keys that wait for a worker', labels: ['controller'] },
  reconciles_total: { type: 'counter', help: 'Reconciles by outcome', labels: ['controller', 'outcome'] },
  config_reloads_total: { type: 'counter', help: 'Changed settings that were read while running, by result', labels: ['result'] },
  leader: { type: 'gauge', help: '1 while this replica leads' },
  build_info: { type: 'gauge', help: 'Always 1; the version is a label', labels: ['version'] },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;
