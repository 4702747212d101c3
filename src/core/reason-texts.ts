import type { Reason } from './reasons.ts';

/** What each reason means and what a person can do: the guide to troubleshooting is made from this table. */
export interface ReasonText {
  readonly meaning: string;
  readonly remedy: string;
}

const nothing = 'nothing';
const text = (meaning: string, remedy: string): ReasonText => ({ meaning, remedy });

export const reasonTexts = {
  UpdateAvailable: text('a request was made and waits for a person', 'approve or reject it'),
  UpdateApproved: text('a person, or the policy, approved', nothing),
  UpdateRejected: text('a person rejected', 'nothing; it is not offered again until something newer exists'),
  UpdateApplied: text('the workload was patched', nothing),
  UpdateCompleted: text('the change is complete', nothing),
  UpdateFailed: text('the change cannot be made; the message says why', 'correct the cause; delete the request to be offered it again'),
  UpdateSuperseded: text('a newer candidate, or another change of the workload, took its place', 'decide about the newer request'),
  UpdateExpired: text('nobody decided in time', 'delete the request to be offered it again; `HEADWIND_REQUEST_EXPIRY` sets the time'),
  InvalidTransition: text('somebody set a phase that is no legal step; it was put back', 'set Approved or Rejected on a Pending request'),
  RolloutHealthy: text('the rollout after the change is healthy', nothing),
  Progressing: text('the rollout after the change is being watched', 'wait'),
  RolloutTimeout: text(
    'the rollout after the change was not complete within `headwind.sh/rollback-timeout`',
    'look at the pods; a newer candidate is not held back',
  ),
  DigestMismatch: text(
    'the rollout is complete, but pods do not run the digest that the registry has: a mirror or a pull policy of the node keeps the old one',
    'correct mirror or pull policy; this digest is not tried again, the next one is',
  ),
  InvalidAnnotation: text('an annotation cannot be followed; what it is about is held', 'the message names key, value and accepted form'),
  UnknownAnnotation: text('a `headwind.sh/*` key, or the container after its dot, is not known', 'the message names the nearest known one'),
  NoContainerMatches: text('`headwind.sh/images` does not mean this container, or none at all', 'use names of containers or images'),
  InvalidReference: text('the image of a container cannot be read', 'correct the image; other containers are not affected'),
  PollingDisabled: text(
    'the workload wants polling, which is off',
    '`HEADWIND_POLLING_ENABLED=true`, or webhooks and another `event-source`',
  ),
  HistoryUnreadable: text('`headwind.sh/update-history` is no JSON array', 'nothing; it begins anew with the next change'),
  CrossNamespace: text('a request names a workload of another namespace', 'make the request in the namespace of the workload'),
  InvalidConfiguration: text(
    'the configuration was changed and has a mistake; what was in force before stays in force',
    'the message names file or ConfigMap, line and key; correct it',
  ),
  ConfigurationChanged: text('changed settings are in force', 'nothing'),
  RegistryUnavailable: text('the registry cannot be asked', 'the message names host and code; it is asked again'),
  NoCredentialAccepted: text('the registry accepts none of the credentials', 'the message names the Secrets that were tried; correct them'),
  PullSecretMissing: text('a pull secret does not exist or cannot be read', 'create or correct it, or remove it from the pod template'),
  TagNotFound: text('the registry has no such repository or tag, or does not show it', 'push it, or correct image or credentials'),
  TagListTruncated: text('the registry has more tags than can be read; nothing is decided from a part', 'use webhooks, or delete old tags'),
  PlatformMissing: text(
    'the new image is not there yet for the platform of a node that runs the workload',
    'nothing while the push goes on; otherwise push the missing platform',
  ),
  PermissionMissing: text('Headwind lacks a right in the cluster', 'apply `deploy/k8s/rbac.yaml`'),
  TooSoon: text('the last change is younger than `min-update-interval`', 'wait, or approve with `force`'),
  EventSourceNone: text('`event-source` is `none`: news does not count', 'set it to `webhook`, `polling` or `both`'),
  Paused: text('the rollout of the workload is paused', '`kubectl rollout resume`'),
  OnDelete: text(
    'the update strategy is `OnDelete`: a restart would not reach the pods',
    'delete the pods, or set `headwind.sh/delete-pods: "true"`',
  ),
  Partitioned: text('the partition of the StatefulSet keeps pods at their old revision', 'lower the partition'),
  DesiredZero: text('the workload wants no pods', 'nothing; pods that are created later pull what is there then'),
  RolloutInProgress: text('a rollout is in progress', 'wait until it is settled, or longer than `rollback-timeout`'),
  Rejected: text('this version, or a newer one, was rejected', 'wait for something newer, or delete the rejected request'),
  Quarantined: text('this version was rolled back', 'wait for something newer, or delete the request'),
  AlreadyFailed: text('this very version failed before', 'correct the cause, then delete the failed request'),
  AlreadyActed: text('the workload was restarted for this very digest before', 'delete the request to have it done again'),
  Expired: text('the request for this very version expired', 'delete the request to be asked again'),
  DryRun: text('a dry run: it is only told what would happen', 'remove `headwind.sh/dry-run` or `HEADWIND_DRY_RUN`'),
  DigestPinned: text(
    'the image is pinned to a digest, so there is nothing to follow',
    'write the image without digest, or use a policy for tags',
  ),
  PullPolicyNotAlways: text(
    'a restart would not pull: `imagePullPolicy` is not `Always`',
    'set it to `Always`, use `headwind.sh/digest-mode: pin`, or set `headwind.sh/ignore-pull-policy: "true"`',
  ),
  NoRunningPod: text('no pod runs whose digest could be compared', 'nothing; it is looked at again when pods run'),
  RunningDigestUnknown: text(
    'the node reports no digest that a registry could know, as for images that were loaded by hand',
    'pull the image from its registry',
  ),
  FlappingTag: text(
    'the tag goes to and fro between the same two digests',
    'look for two pipelines or two copies of the registry; a third digest, or a decision of yours, ends the hold',
  ),
  RestlessTag: text(
    'the tag had another digest many times within an hour; from now on it is followed at growing intervals, every five minutes at the most',
    'look for what pushes it so often, or for copies of the registry that differ; the newest digest is taken when the pause is over',
  ),
  NoRollout: text('a CronJob has no rollout to watch', nothing),
  CannotObserve: text(
    'the outcome of a change cannot be seen: the API server does not give the pods',
    'the message names the missing right',
  ),
  PatchRefused: text('the API server or an admission webhook refuses the change', 'its words stand in the message'),
  ChangedByOthers: text('somebody else changed the workload meanwhile', 'nothing; it is decided anew'),
  NewerTag: text('a newer tag is on offer', 'nothing, or approve the request'),
  ForcedTag: text('`force` takes the tag that was pushed', 'nothing, or approve the request'),
  UnorderedTag: text('`all` takes a pushed tag that has no order', 'nothing, or approve the request'),
  AdoptedTag: text('`adopt` leaves a tag that is no version', 'nothing, or approve the request'),
  DigestChanged: text('the same tag has another digest', 'nothing; a request for the old digest is closed and asked again'),
  PolicyNone: text('the policy is `none`: shown, never updated', 'set a policy'),
  NoTag: text('the image has a digest and no tag, so there is nothing to compare', 'write the tag before the digest'),
  CurrentTagNotVersion: text(
    'the running tag has no order (`latest`, a branch, a commit)',
    'run a version, or use `all`, `glob`, `force`, `adopt`',
  ),
  DateTag: text('the running tag is a date or build number, which has no levels', 'use `all`, `glob` or `regex:`'),
  InvalidChartVersion: text('the version of a chart is not SemVer', 'correct the version'),
  PatternMissing: text('policy `glob` without a pattern', 'add `headwind.sh/pattern`'),
  PatternMismatch: text(
    'the running tag does not match the pattern, so tags cannot be compared with it',
    'change the pattern, or set `adopt`',
  ),
  AmbiguousFamily: text('`adopt` finds tags of several families', 'make the pattern narrower'),
  CreatedUnknown: text('`order: created`, and creation times are not known', 'use another order'),
  TagMismatch: text('`match-tag`: another tag was pushed than the one that runs', nothing),
  TagRefused: text('the pushed tag is a signature, ignored, or no legal tag', 'nothing, or change `ignore-tags`'),
  NoEligibleTag: text(
    'there are other tags, but none that the policy takes: other variant, larger step, prerelease, not newer',
    '`headwind explain` and `headwind simulate -o json` say why for each tag',
  ),
  UpToDate: text('nothing newer is known', 'does the webhook arrive? is `event-source` right? is polling on?'),
} as const satisfies Record<Reason, ReasonText>;
