import { annotationPrefix } from '../core/annotation-table.ts';
import { parseImageReference } from '../core/image-reference.ts';
import { type DigestInput, readDigestState } from '../core/plan-digest.ts';
import type { Reason } from '../core/reasons.ts';
import { readSettings, type Settings } from '../core/settings.ts';
import type { Slot, Workload } from '../core/workload.ts';

/** A workload of a file, with what only a file can have wrong. */
export interface CheckedManifest {
  readonly workload: Workload;
  /** Its own annotations of ours, whatever their type. */
  readonly annotations: Readonly<Record<string, unknown>>;
  /** Keys of ours on the pod template. */
  readonly misplaced: readonly string[];
  /** Sentences about a label of kube-autorollout that nobody would follow. */
  readonly labelMistakes: readonly string[];
  /** It has annotations of ours, or that label, somewhere. */
  readonly isMeant: boolean;
}

/** An object with annotations of ours that nobody would read. */
export interface UnreadManifest {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Those whose values can be checked all the same. */
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly severity: Finding['severity'];
  readonly message: string;
}

export interface Finding {
  readonly file: string;
  readonly document: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly container: string | null;
  readonly key: string | null;
  /** A warning is valid, but rarely meant. */
  readonly severity: 'problem' | 'warning';
  readonly reason: Reason;
  readonly message: string;
}

type Found = Pick<Finding, 'severity' | 'reason' | 'message'> & { readonly container?: string; readonly key?: string };

const policyKey = `${annotationPrefix}policy`;

/** Everything that the operator would complain about, and what it would silently not see. */
export function checkManifest(manifest: CheckedManifest): Omit<Finding, 'file' | 'document'>[] {
  if (!manifest.isMeant) return [];
  return findingsOn(manifest).map((found) => findingOf(manifest.workload, found));
}

/** What is wrong with annotations that have no workload around them. */
export function checkUnread({ annotations, severity, message, ...object }: UnreadManifest): Omit<Finding, 'file' | 'document'>[] {
  const texts = Object.fromEntries(Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  // Whatever container they name may be there, and '' is one for which none is meant.
  const named = Object.keys(texts).flatMap((key) => key.slice(annotationPrefix.length).split('.').slice(1));
  const { problems } = readSettings(texts, ['', ...named]);
  const found: Found[] = problems.map((each) => problem(each.reason, each.message, { key: each.key }));
  return [...noTexts(annotations), ...found, { severity, reason: 'InvalidAnnotation', message } as const].map((each) =>
    findingOf(object, each),
  );
}

function findingOf(object: Pick<Finding, 'kind' | 'namespace' | 'name'>, found: Found): Omit<Finding, 'file' | 'document'> {
  const { kind, namespace, name } = object;
  const { container, key, severity, reason, message } = found;
  return { kind, namespace, name, container: container ?? null, key: key ?? null, severity, reason, message };
}

function noTexts(annotations: Readonly<Record<string, unknown>>): Found[] {
  return Object.entries(annotations)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) =>
      problem('InvalidAnnotation', `${key} is ${JSON.stringify(value)}, which is no text: write it in quotes`, { key }),
    );
}

function findingsOn({ workload, annotations, misplaced, labelMistakes }: CheckedManifest): Found[] {
  const found = [...noTexts(annotations), ...labelMistakes.map((message) => problem('InvalidAnnotation', message, {}))];
  for (const key of misplaced) {
    found.push(
      problem('UnknownAnnotation', `${key} stands on the pod template, where nobody reads it: move it to the metadata of the workload`, {
        key,
      }),
    );
  }
  const isOnlyLabelled = labelMistakes.length > 0 && Object.keys(annotations).length === 0;
  if (!(policyKey in annotations) && !workload.autorollout && !isOnlyLabelled) {
    found.push(problem('PolicyNone', `${policyKey} is missing: without it the workload is not managed`, { key: policyKey }));
  }
  const settings = readSettings(
    workload.annotations,
    workload.slots.map(({ container }) => container),
    { autorollout: workload.autorollout },
  );
  found.push(...settings.problems.map(({ reason, key, message }) => problem(reason, message, { key })));
  const selected = workload.slots.map((slot) => checkSlot(slot, settings, workload)).filter((each) => each !== undefined);
  if (selected.length === 0) {
    found.push(
      problem('NoContainerMatches', `${annotationPrefix}images means none of the containers`, { key: `${annotationPrefix}images` }),
    );
  }
  return [...found, ...selected.flat()];
}

/** undefined: `images` does not mean it. */
function checkSlot(slot: Slot, settings: Settings, workload: Workload): Found[] | undefined {
  const { container, image } = slot;
  const reference = parseImageReference(image);
  if ('invalid' in reference) return [problem('InvalidReference', `${container}: ${reference.invalid}`, { container })];
  if (!settings.selects(container, reference)) return undefined;
  const own = settings.container(container);
  if ('held' in own) return [];
  const { policy } = own;
  const missing = policy.name === 'glob' && policy.glob === undefined;
  return [
    ...(missing ? [problem('PatternMissing', `${container}: policy glob needs ${annotationPrefix}pattern`, { container })] : []),
    ...heldForEver({ workload, slot, reference, settings: own }),
    ...policy.warnings.map(
      (message) =>
        ({ severity: 'warning', reason: 'InvalidAnnotation', message: `${container}: ${message}`, container, key: policyKey }) as const,
    ),
  ];
}

/** What follows nothing but digests, and never would: the pull policy, a pin, a CronJob. */
function heldForEver(input: Pick<DigestInput, 'workload' | 'slot' | 'reference' | 'settings'>): Found[] {
  const state = readDigestState({ ...input, facts: { tip: undefined, compared: undefined, fresh: undefined }, now: 0 });
  if (state.kind !== 'hold' || state.reason === 'DesiredZero') return [];
  const { container } = input.slot;
  return [{ severity: 'warning', reason: state.reason, message: `${container}: ${state.message}`, container }];
}

function problem(reason: Reason, message: string, where: Pick<Found, 'container' | 'key'>): Found {
  return { severity: 'problem', reason, message, ...where };
}
