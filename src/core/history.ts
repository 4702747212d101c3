import { annotationPrefix } from './annotation-table.ts';
import { formatTime, parseTime } from './duration.ts';

/** What was applied, as the annotations of the workload tell it: `last-update`, `update-history`, `digests`. */

export const lastUpdateKey = `${annotationPrefix}last-update`;
export const historyKey = `${annotationPrefix}update-history`;
export const digestsKey = `${annotationPrefix}digests`;

const entriesPerContainer = 10;
const maximumBytes = 64 * 1024;

/** One applied change. Keys that others wrote are kept. */
export interface HistoryEntry {
  readonly container: string;
  /** The image that was put in place. */
  readonly image: string;
  /** RFC 3339, UTC. */
  readonly timestamp: string;
  readonly updateRequestName?: string;
  readonly approvedBy?: string;
  readonly digest?: string;
  readonly fromImage?: string;
  readonly fromDigest?: string;
  readonly trigger?: string;
  readonly reason?: string;
}

type Annotations = Readonly<Record<string, string>>;

/** Annotations never change once they are read; a long history is read many times for one workload. */
const known = new WeakMap<Annotations, ReturnType<typeof parseHistory>>();

/** Newest first. `readable` is false when the annotation is no JSON array; then the history starts again empty. */
export function readHistory(annotations: Annotations): { entries: readonly HistoryEntry[]; readable: boolean } {
  const history = known.get(annotations) ?? parseHistory(annotations);
  known.set(annotations, history);
  return history;
}

function parseHistory(annotations: Annotations): { entries: readonly HistoryEntry[]; readable: boolean } {
  const text = annotations[historyKey];
  if (text === undefined || text.trim() === '') return { entries: [], readable: true };
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return { entries: parsed.filter(isEntry), readable: true };
  } catch {
    // no JSON: the same as no array
  }
  return { entries: [], readable: false };
}

/** Does the history say that the container had this image before, as recorded or pinned to the digest that was recorded with it? */
export function wasInPlace(annotations: Annotations, container: string, image: string): boolean {
  return readHistory(annotations).entries.some((entry) => {
    if (entry.container !== container) return false;
    return isRecorded(image, entry.image, entry.digest) || isRecorded(image, entry.fromImage, entry.fromDigest);
  });
}

/** The history is an annotation: anything may stand in it. */
function isRecorded(image: string, recorded: unknown, digest: unknown): boolean {
  if (typeof recorded !== 'string') return false;
  return image === recorded || (typeof digest === 'string' && image === `${recorded.replace(/@.*$/s, '')}@${digest}`);
}

/** When the workload was last changed by us, in milliseconds since the epoch; a time in the future counts as now. */
export function readLastUpdate(annotations: Annotations, now: number): number | undefined {
  const text = annotations[lastUpdateKey];
  if (text === undefined) return undefined;
  const plain = text.replace(/ \(approved by .*\)$/s, '').trim();
  const time = parseTime(plain) ?? parseTime(readHistory(annotations).entries[0]?.timestamp ?? '');
  return time === undefined ? undefined : Math.min(time, now);
}

/** Container → digest last applied; an unreadable annotation counts as empty. */
export function readDigests(annotations: Annotations): Readonly<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(annotations[digestsKey] ?? '{}');
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

/** The digest last applied to a container, or noted for it. A container may be called like a member of every object. */
export function recordedDigest(annotations: Annotations, container: string): string | undefined {
  const digests = readDigests(annotations);
  return Object.hasOwn(digests, container) ? digests[container] : undefined;
}

/** The three annotations after `applied`, to be written in the same patch as the images. */
export function recordApplied(annotations: Annotations, applied: readonly HistoryEntry[], now: number): Record<string, string> {
  const digests = { ...readDigests(annotations) };
  for (const { container, digest } of applied) {
    if (digest === undefined) delete digests[container];
    else digests[container] = digest;
  }
  return {
    [lastUpdateKey]: formatTime(now),
    [historyKey]: formatHistory([...applied, ...readHistory(annotations).entries]),
    [digestsKey]: JSON.stringify(digests),
  };
}

/** The annotation that says what a container runs, where somebody else put it there. */
export function recordDigest(annotations: Annotations, container: string, digest: string): Record<string, string> {
  return { [digestsKey]: JSON.stringify({ ...readDigests(annotations), [container]: digest }) };
}

function formatHistory(entries: readonly HistoryEntry[]): string {
  const perContainer = new Map<string, number>();
  const kept = entries.filter(({ container }) => {
    const count = (perContainer.get(container) ?? 0) + 1;
    perContainer.set(container, count);
    return count <= entriesPerContainer;
  });
  let text = JSON.stringify(kept);
  while (Buffer.byteLength(text) > maximumBytes && kept.length > 1) {
    kept.pop();
    text = JSON.stringify(kept);
  }
  return text;
}

function isEntry(value: unknown): value is HistoryEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'container' in value &&
    typeof value.container === 'string' &&
    'image' in value &&
    typeof value.image === 'string' &&
    'timestamp' in value &&
    typeof value.timestamp === 'string'
  );
}
