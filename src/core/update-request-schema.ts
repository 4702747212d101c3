import * as v from 'valibot';

/** The one schema behind the CustomResourceDefinition, the types and the API description. Descriptions are what `kubectl explain` prints. */

export const phases = ['Pending', 'Approved', 'Rejected', 'Completed', 'Failed', 'Expired'] as const;
export const policyNames = ['none', 'patch', 'minor', 'major', 'all', 'glob', 'force', 'digest', 'regex', 'semver'] as const;
export const triggers = ['webhook', 'polling', 'manual', 'rollback', 'auto-rollback'] as const;
export const conditionTypes = ['Verified', 'Applied', 'RolloutHealthy', 'RolledBack', 'Superseded'] as const;

const text = (description: string) => v.pipe(v.string(), v.description(description));
/** Longer than what it may be called or said anywhere: such a text could only be written to fill memory, and status, of others. */
const shortText = (maximum: number, description: string) => v.pipe(v.string(), v.maxLength(maximum), v.description(description));
const time = (description: string) => v.pipe(v.string(), v.isoTimestamp(), v.description(description));

export const targetRefSchema = v.pipe(
  v.object({
    apiVersion: v.optional(shortText(253, 'API version of the target; by default that of its kind.')),
    kind: shortText(253, 'Kind of the workload: Deployment, StatefulSet, DaemonSet, CronJob or HelmRelease.'),
    name: shortText(253, 'Name of the workload.'),
    namespace: shortText(253, "Namespace of the workload; must be the request's own."),
    uid: v.optional(shortText(253, 'The workload that is meant; another object of the same name is another workload.')),
  }),
  v.description('The workload that changes.'),
);

export const updateRequestSpecSchema = v.object({
  targetRef: targetRefSchema,
  updateType: v.optional(v.pipe(v.picklist(['image', 'helmChart']), v.description('What changes; by default what the kind holds.'))),
  containerName: v.optional(
    shortText(253, 'The container or init container; may be left out when exactly one container has currentImage.'),
  ),
  currentImage: shortText(2048, "The container's image, exactly as it stands in the pod template."),
  newImage: shortText(2048, 'The same text with another tag or digest.'),
  currentDigest: v.optional(shortText(253, 'Digest behind currentImage, where known.')),
  newDigest: v.optional(shortText(253, 'Digest behind newImage: what an approval covers.')),
  policy: v.pipe(
    v.picklist(policyNames),
    v.description("Name of the policy that proposed the change; the workload's annotation is what counts."),
  ),
  trigger: v.optional(v.pipe(v.picklist(triggers), v.description('What made the change known.'))),
  reason: v.optional(shortText(16_384, 'Why, for people.')),
  requireApproval: v.optional(v.pipe(v.boolean(), v.description('Does a person have to approve? (default: true)'))),
  expiresAt: v.optional(time('When a Pending request expires.')),
});

export const conditionSchema = v.object({
  type: text('Verified, Applied, RolloutHealthy, RolledBack or Superseded.'),
  status: v.picklist(['True', 'False', 'Unknown']),
  reason: text('One word of the closed list of reasons.'),
  message: text('One sentence for people.'),
  lastTransitionTime: time('When status last changed.'),
  observedGeneration: v.optional(v.pipe(v.number(), v.integer())),
});

export const updateRequestStatusSchema = v.object({
  phase: v.optional(v.pipe(v.picklist(phases), v.description('Missing reads as Pending. Set it to Approved or Rejected to decide.'))),
  approvedBy: v.optional(text('Who approved.')),
  approvedAt: v.optional(time('When.')),
  rejectedBy: v.optional(text('Who rejected.')),
  rejectedAt: v.optional(time('When.')),
  message: v.optional(text('Result, or reason of the failure or rejection, for people.')),
  rejectionReason: v.optional(text('Copy of message of a rejected request.')),
  createdAt: v.optional(time('Copy of the creation time.')),
  lastUpdated: v.optional(time('Time of the last status write.')),
  force: v.optional(v.pipe(v.boolean(), v.description('The approver waived interval and window, nothing else.'))),
  conditions: v.optional(v.array(conditionSchema)),
  observedGeneration: v.optional(v.pipe(v.number(), v.integer())),
});

export type Phase = (typeof phases)[number];
export type PolicyName = (typeof policyNames)[number];
export type Trigger = (typeof triggers)[number];
export type ConditionType = (typeof conditionTypes)[number];
export type Condition = v.InferOutput<typeof conditionSchema>;
export type UpdateRequestSpec = v.InferOutput<typeof updateRequestSpecSchema>;
export type UpdateRequestStatus = v.InferOutput<typeof updateRequestStatusSchema>;

/** An UpdateRequest as read from the API server. `status` is `{}` where the object has none. */
export interface UpdateRequest {
  readonly apiVersion: 'headwind.sh/v1alpha1';
  readonly kind: 'UpdateRequest';
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    /** RFC 3339. */
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: UpdateRequestSpec;
  readonly status: UpdateRequestStatus;
}
