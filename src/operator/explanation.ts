import type { Considered } from '../core/choose.ts';
import type { ExplainedSetting } from '../core/explain-settings.ts';
import type { Reason } from '../core/reasons.ts';
import type { SettingProblem } from '../core/settings.ts';
import type { Phase } from '../core/update-request-schema.ts';
import type { WorkloadKind } from '../core/workload.ts';
import type { CheckOrigin } from './repository-access.ts';

/** The answer to "why was my workload not updated?". Times are RFC 3339; `null` means that there is none, or that it is not known. */
export interface Explanation {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** Does the replica that answers lead? Only the leader asks registries: others know the cluster, not the tags. */
  readonly leader: boolean;
  readonly paused: boolean;
  readonly rollout: { readonly settled: boolean; readonly healthy: boolean; readonly message: string };
  readonly lastUpdate: string | null;
  /** What holds for the whole workload. */
  readonly settings: readonly ExplainedSetting[];
  /** Annotations that cannot be followed, or that nobody knows. */
  readonly problems: readonly SettingProblem[];
  readonly containers: readonly ContainerExplanation[];
  /** Open requests, and finished ones that keep a candidate from being offered again; the newest first. */
  readonly requests: readonly RequestSummary[];
  /** What happens next, the earliest first; without a time it waits for somebody or something. */
  readonly next: readonly NextStep[];
}

export interface ContainerExplanation {
  readonly container: string;
  readonly init: boolean;
  readonly image: string;
  /** The repository's one name, for comparing with what a registry or webhook says. */
  readonly repository: string | null;
  readonly currentTag: string | null;
  /** null while the container is held by an annotation. */
  readonly policy: string | null;
  readonly eventSource: string | null;
  /** The tag on offer. */
  readonly candidate: string | null;
  readonly reason: Reason;
  readonly message: string;
  readonly settings: readonly ExplainedSetting[];
  /** Known tags with what the policy says of each; those that may follow first, at most 200. */
  readonly considered: readonly Considered[];
  readonly consideredTotal: number;
  /** null: this process has not looked yet. */
  readonly lastCheck: CheckSummary | null;
}

export interface CheckSummary {
  readonly at: string;
  readonly origin: CheckOrigin;
  readonly ok: boolean;
  readonly reason: Reason | null;
  readonly message: string | null;
  /** Where credentials come from, in the order in which they are tried until one opens: `Secret team/regcred`, `anonymous`. */
  readonly credentials: readonly string[];
  /** Complete list of tags: how many, and when it was read. */
  readonly tags: number | null;
  readonly tagsAt: string | null;
}

export interface RequestSummary {
  readonly name: string;
  readonly container: string | null;
  readonly phase: Phase;
  /** `open`: it may still be applied. `remembered`: it keeps its candidate from being offered again. */
  readonly state: 'open' | 'remembered';
  readonly currentImage: string;
  readonly newImage: string;
  readonly digest: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly message: string | null;
}

export interface NextStep {
  readonly container: string | null;
  readonly at: string | null;
  readonly reason: Reason | null;
  readonly message: string;
}

/** One line of the list of managed workloads. */
export interface WorkloadSummary {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly {
    readonly container: string;
    readonly image: string;
    readonly candidate: string | null;
    readonly reason: Reason;
    readonly message: string;
  }[];
}
