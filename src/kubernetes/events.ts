import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { type Reason, reasonTypes } from '../core/reasons.ts';
import { ApiError } from '../errors.ts';
import type { Clock, Events, EventSubject, Log } from '../ports.ts';
import type { KubeClient } from './client.ts';
import { EventBudget } from './event-budget.ts';
import { microTime } from './micro-time.ts';
import { resourcePath } from './resource-path.ts';

const apiVersion = 'events.k8s.io/v1';
const noteBytes = 1024;
/** The API server forgets Events after an hour; a series that old starts as a new Event. */
const seriesMs = 50 * 60_000;
const rememberedSeries = 4096;
const longestQueue = 4096;
const writers = 4;

/** What is told about one object for one reason. */
interface Series {
  readonly subject: EventSubject;
  readonly reason: Reason;
  readonly note: string;
  count: number;
  lastAt: number;
  /** Of the Event that was written; undefined before. */
  name: string | undefined;
  isQueued: boolean;
}

export interface KubeEventsOptions {
  readonly client: Pick<KubeClient, 'json'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Which replica tells it. */
  readonly instance: string;
}

/** Kubernetes Events, written behind the caller's back: repeats extend a series, floods are cut, failures cost nothing but the Event. */
export class KubeEvents implements Events {
  readonly #options: KubeEventsOptions;
  readonly #series = new LRUCache<string, Series>(atMost(rememberedSeries));
  readonly #budget: EventBudget;
  readonly #queue: Series[] = [];
  #wake: (() => void) | undefined;
  #saidForbidden = false;

  constructor(options: KubeEventsOptions) {
    this.#options = options;
    this.#budget = new EventBudget(options.clock);
  }

  emit(subject: EventSubject, reason: Reason, message: string): void {
    const now = this.#options.clock.now();
    const note = cut(message);
    const key = `${subject.uid} ${subject.kind} ${reason}`;
    const known = this.#series.get(key);
    const goesOn = known?.note === note && now - known.lastAt < seriesMs;
    const series = goesOn ? known : { subject, reason, note, count: 0, lastAt: now, name: undefined, isQueued: false };
    series.count += 1;
    series.lastAt = now;
    if (!goesOn) this.#series.set(key, series);
    if (series.isQueued || this.#queue.length >= longestQueue || !this.#budget.take(subject.uid)) return;
    series.isQueued = true;
    this.#queue.push(series);
    this.#wake?.();
  }

  /** Writes what was told until the signal aborts, and then, for at most `flushMs`, what is left. */
  async run(signal: AbortSignal, flushMs = 2_000): Promise<void> {
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      timer = setTimeout(() => end.abort(new Error('no time is left for Events')), flushMs);
      this.#wake?.();
    };
    signal.addEventListener('abort', flush, { once: true });
    if (signal.aborted) flush();
    while (!end.signal.aborted && (!signal.aborted || this.#queue.length > 0)) {
      await Promise.all(this.#queue.splice(0, writers).map((series) => this.#write(series, end.signal)));
      if (this.#queue.length === 0 && !signal.aborted) await this.#news();
    }
    clearTimeout(timer);
    signal.removeEventListener('abort', flush);
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    series.isQueued = false;
    try {
      if (series.name === undefined) await this.#create(series, signal);
      else await this.#extend(series, series.name, signal);
    } catch (error) {
      this.#failed(series, error);
    }
  }

  async #create(series: Series, signal: AbortSignal): Promise<void> {
    const { subject, reason, note, count, lastAt } = series;
    const { apiVersion: version, kind, namespace, name, uid } = subject;
    // Event names share a name space with those of everybody else.
    const eventName = `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}`;
    await this.#options.client.json('POST', resourcePath(apiVersion, 'events', namespace), {
      signal,
      body: {
        apiVersion,
        kind: 'Event',
        metadata: { namespace, name: eventName },
        eventTime: microTime(lastAt),
        reportingController: 'headwind.sh/operator',
        reportingInstance: this.#options.instance.slice(0, 128),
        action: reason,
        reason,
        type: reasonTypes[reason] === 'W' ? 'Warning' : 'Normal',
        regarding: { apiVersion: version, kind, namespace, name, uid },
        note,
        ...(count > 1 && { series: { count, lastObservedTime: microTime(lastAt) } }),
      },
    });
    series.name = eventName;
  }

  async #extend(series: Series, eventName: string, signal: AbortSignal): Promise<void> {
    const { subject, count, lastAt } = series;
    try {
      await this.#options.client.json('PATCH', resourcePath(apiVersion, 'events', subject.namespace, eventName), {
        signal,
        contentType: 'application/merge-patch+json',
        body: { series: { count, lastObservedTime: microTime(lastAt) } },
      });
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isNotFound) throw error;
      await this.#create(series, signal);
    }
  }

  #failed({ subject, reason }: Series, error: unknown): void {
    const { log } = this.#options;
    const isForbidden = error instanceof ApiError && error.status === 403;
    const fields = { kind: subject.kind, namespace: subject.namespace, name: subject.name, reason, error };
    if (isForbidden && !this.#saidForbidden) log.warn(fields, 'Kubernetes Events cannot be written; this is said once');
    else log.debug(fields, 'a Kubernetes Event could not be written');
    this.#saidForbidden ||= isForbidden;
  }
}

/** The API server refuses a longer note. */
function cut(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= noteBytes) return message;
  // A character that was cut in two becomes U+FFFD, three bytes long.
  return `${bytes
    .subarray(0, noteBytes - 6)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
