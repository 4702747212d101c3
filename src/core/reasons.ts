/**
 * The closed set of reasons. The same word is the condition's reason, the Event's reason, the metric label, the API field
 * and the expectation of a test. `W` marks those that a Kubernetes Event reports as a Warning.
 */
export const reasonTypes = {
  // life of a request
  UpdateAvailable: 'N',
  UpdateApproved: 'N',
  UpdateRejected: 'N',
  UpdateApplied: 'N',
  UpdateCompleted: 'N',
  UpdateFailed: 'W',
  UpdateSuperseded: 'N',
  UpdateExpired: 'W',
  InvalidTransition: 'W',
  // rollout
  RolloutHealthy: 'N',
  Progressing: 'N',
  // settings
  InvalidAnnotation: 'W',
  UnknownAnnotation: 'W',
  NoContainerMatches: 'W',
  InvalidReference: 'W',
  PollingDisabled: 'W',
  HistoryUnreadable: 'W',
  CrossNamespace: 'W',
  // registry
  RegistryUnavailable: 'W',
  NoCredentialAccepted: 'W',
  PullSecretMissing: 'W',
  TagNotFound: 'W',
  TagListTruncated: 'W',
  PermissionMissing: 'W',
  // holds
  TooSoon: 'N',
  EventSourceNone: 'N',
  Paused: 'N',
  RolloutInProgress: 'N',
  Rejected: 'N',
  Quarantined: 'N',
  AlreadyFailed: 'N',
  Expired: 'N',
  DryRun: 'N',
  PatchRefused: 'W',
  ChangedByOthers: 'N',
  // verdicts of the policy engine (docs: policy.md)
  NewerTag: 'N',
  ForcedTag: 'N',
  UnorderedTag: 'N',
  AdoptedTag: 'N',
  DigestChanged: 'N',
  PolicyNone: 'N',
  NoTag: 'N',
  CurrentTagNotVersion: 'N',
  DateTag: 'N',
  InvalidChartVersion: 'W',
  PatternMissing: 'W',
  PatternMismatch: 'N',
  AmbiguousFamily: 'N',
  CreatedUnknown: 'N',
  TagMismatch: 'N',
  TagRefused: 'N',
  NoEligibleTag: 'N',
  UpToDate: 'N',
} as const satisfies Record<string, 'N' | 'W'>;

export type Reason = keyof typeof reasonTypes;
