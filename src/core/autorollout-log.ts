/**
 * Messages that users of kube-autorollout search their logs for, word for word. What varies stands in the fields of the line. Lines that
 * would repeat with every look are `debug`; a change is `info`.
 */
export const autorolloutLog = {
  /** Fields: resource_count, kind, label. */
  scanning: { level: 'info', message: 'Scanning for digest changes in resources' },
  /** Fields: kind, resource. */
  foundResource: { level: 'debug', message: 'Found resource with label' },
  /** Fields: pod, container, image, current_digest. */
  foundContainer: { level: 'debug', message: 'Found container with image and current digest' },
  /** Fields: url. */
  fetchingManifest: { level: 'debug', message: 'Fetching docker manifest from URL' },
  /** Fields: recent_digests. */
  recentDigests: { level: 'debug', message: 'Found recent image digests' },
  /** Fields: kind, resource, container, from, to. */
  triggering: { level: 'info', message: 'Triggering rollout for resource' },
  /** Fields: kind, resource. */
  triggered: { level: 'info', message: 'Successfully triggered rollout' },
  /** Fields: kind, resource. */
  upToDate: { level: 'debug', message: 'Skipping resource, digest is up to date' },
  /** Fields: kind, resource. */
  noReplicas: { level: 'debug', message: 'Skipping resource as desired and actual replicas are zero' },
  /** Fields: kind, resource, container, image_pull_policy. Once per change. */
  pullPolicy: {
    level: 'warn',
    message: 'Container has a misconfigured imagePullPolicy, with which a restart does not pull: set it to Always',
  },
  /** Fields: kind, resource, container, error with the whole chain of causes. Once per change. */
  lookupFailed: { level: 'warn', message: 'Skipping container because registry lookup failed' },
  /** Fields: kind, resource. Once per change. */
  notScheduled: { level: 'warn', message: 'Skipping resource because its pods/containers are not scheduled or ready yet' },
  /** Fields: error. */
  jobFailed: { level: 'error', message: 'Error while running controller job' },
} as const satisfies Record<string, { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }>;

export type AutorolloutLine = keyof typeof autorolloutLog;

/** The label that makes a workload follow the digests of its tags. */
export const autorolloutLabel = 'kube-autorollout/enabled';
