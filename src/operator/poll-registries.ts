import type { AutorolloutSettings } from '../core/autorollout-settings.ts';
import type { ContainerSettings } from '../core/settings.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import type { Workloads } from '../ports.ts';
import { tellProblems } from './announce.ts';
import { type Controller, controllerQueue, type Result, runController, registryWorkers, type Stop } from './controller.ts';
import { logScan } from './autorollout-log.ts';
import { type Cadence, firstDue, isDue, nextDue } from './poll-cadence.ts';
import { askedTags, isUnknown, type Look, onlyAsked } from './poll-looks.ts';
import { type Consumer, pollingNeeds } from './poll-wants.ts';
import { type ReadDeps, RepositoryReader } from './read-repository.ts';
import type { Access } from './repository-access.ts';
import { laneOfRepository } from './repository-lane.ts';
import type { WorkQueue } from './work-queue.ts';

export interface PollDeps extends ReadDeps {
  readonly workloads: Workloads;
  readonly intervalMs: number;
  /** False: only labelled workloads are polled, on their own schedule. */
  readonly pollingEnabled: boolean;
  readonly autorollout: () => AutorolloutSettings;
  /** Between 0 and 1; settable for tests. */
  readonly random?: () => number;
}

interface Group {
  readonly access: Access;
  readonly group: Consumer[];
}

// setInterval fires all the time when the period is longer.
const longestTimerMs = 2 ** 31 - 1;
/** After each tag that was read a repository rests so long: reading and judging them takes a hundredth of that, whatever interval is asked for. */
const restMsPerTag = 1;

/**
 * Looks at registries when it is due: one check per (repository, credential), however many workloads use it. Due when the smallest
 * interval that its workloads ask for has passed. Who joins later sees at once what the others know.
 */
export class RegistryPoller {
  readonly #deps: PollDeps;
  readonly #queue: WorkQueue;
  readonly #dueAt = new Map<string, number>();
  /** Repository → access → the last look: neighbours with other credentials may ask for another interval. */
  readonly #looks = new Map<string, ReadonlyMap<string, Look>>();
  /** Repositories that are not looked at before this time, because the last look was so much work. */
  readonly #restsUntil = new Map<string, number>();
  readonly #reader: RepositoryReader;
  #scannedAt: number | undefined;

  constructor(deps: PollDeps) {
    this.#deps = deps;
    this.#reader = new RepositoryReader(deps);
    this.#queue = controllerQueue('polling', deps.metrics, {
      laneOf: (repository: string) => laneOfRepository(repository, deps.workloads),
      workers: registryWorkers,
      mostPerPart: 4,
    });
  }

  /** A workload appeared or changed: its repositories are looked at in time. Cheap, called for every event. */
  workloadChanged(workload: Workload): void {
    const { clock } = this.#deps;
    for (const [repository, consumer] of this.#wants(workload)) {
      const checkedAt = this.#lookAtKnown(repository, consumer);
      const { cadence } = consumer;
      const now = clock.now();
      const asked = checkedAt === undefined ? firstDue(cadence, now, this.#random()) : nextDue(cadence, checkedAt, now);
      const wanted = Math.max(asked, this.#restsUntil.get(repository) ?? 0);
      const known = this.#dueAt.get(repository);
      if (known !== undefined && known <= wanted) continue;
      this.#dueAt.set(repository, wanted);
      this.#queue.addAfter(repository, Math.max(0, wanted - clock.now()));
    }
  }

  /** A workload that joins others sees at once what they know. Gives when somebody last looked with its credentials. */
  #lookAtKnown(repository: string, consumer: Consumer): number | undefined {
    const { workload, reference } = consumer;
    const { access, book, notes, wake } = this.#deps;
    const bookKey = access.known(workload, reference);
    const look = bookKey === undefined ? undefined : this.#looks.get(repository)?.get(bookKey);
    if (bookKey === undefined || look === undefined) return undefined;
    const listing = book.listing(bookKey);
    const key = workloadKey(workload);
    if (listing && !notes.delivered(key, bookKey)) {
      notes.deliver(key, bookKey, { listing, at: listing.at });
      wake(key);
    }
    for (const tag of consumer.digestsOf) {
      // A tag that nobody else runs has not been looked at, whenever its repository was.
      if (!look.tags.has(tag)) return undefined;
      const polled = book.polledDigest(bookKey, tag);
      if (!polled || notes.polledDigest(key, bookKey, tag)) continue;
      notes.deliverDigest(key, bookKey, tag, polled);
      wake(key);
    }
    return look.at;
  }

  /** When the repository is looked at next; undefined when nobody wants it polled. */
  dueAt(repository: string): number | undefined {
    return this.#dueAt.get(repository);
  }

  /** Works until `stop.signal` aborts. */
  async run(stop: Stop): Promise<void> {
    const { log, metrics } = this.#deps;
    const controller: Controller = {
      name: 'polling',
      queue: this.#queue,
      log,
      metrics,
      workers: registryWorkers,
      reconcile: (key, signal) => this.#check(key, signal),
    };
    for (const workload of this.#deps.workloads.all()) this.workloadChanged(workload);
    const { pollingEnabled } = this.#deps;
    const cycles = setInterval(
      () => pollingEnabled && metrics.increment('polling_cycles_total'),
      Math.min(this.#deps.intervalMs, longestTimerMs),
    );
    try {
      await runController(controller, stop);
    } finally {
      clearInterval(cycles);
    }
  }

  async #check(repository: string, signal: AbortSignal): Promise<Result> {
    const { clock } = this.#deps;
    const consumers = this.#consumers(repository);
    if (consumers.length === 0) {
      this.#dueAt.delete(repository);
      this.#looks.delete(repository);
      this.#restsUntil.delete(repository);
      return {};
    }
    const nextAt = await this.#checkAccesses(repository, await this.#groupByAccess(repository, consumers, signal), signal);
    this.#dueAt.set(repository, nextAt);
    return { requeueAfterMs: Math.max(0, nextAt - clock.now()) };
  }

  /** Asks with each credential that is due; gives when the next one is, not before the time that the registry asked for. */
  async #checkAccesses(repository: string, groups: readonly Group[], signal: AbortSignal): Promise<number> {
    const now = this.#deps.clock.now();
    const jitter = 0.9 + 0.2 * this.#random();
    const before = this.#looks.get(repository);
    const looks = new Map(before);
    this.#looks.set(repository, looks);
    let [nextAt, notBefore, read] = [Infinity, 0, 0];
    for (const { access, group } of groups) {
      const last = before?.get(access.key);
      const due = group.some((consumer) => isDue(consumer.cadence, last?.at, now) || isUnknown(last, consumer));
      const since = due ? now : (last?.at ?? now);
      nextAt = Math.min(nextAt, ...group.map(({ cadence }) => nextDue(cadence, since, now, jitter)));
      if (due) {
        const tags = askedTags(last, group, now);
        looks.set(access.key, { at: now, tags });
        this.#tellScan(group);
        const outcome = await this.#reader.look(
          access,
          group.map((consumer) => onlyAsked(consumer, tags, now)),
          signal,
        );
        notBefore = Math.max(notBefore, now + (outcome.retryAfterMs ?? 0));
        read += outcome.tags ?? 0;
      } else for (const consumer of group) this.#lookAtKnown(repository, consumer);
    }
    const current = new Set(groups.map(({ access }) => access.key));
    for (const key of looks.keys()) if (!current.has(key)) looks.delete(key);
    this.#restsUntil.set(repository, now + read * restMsPerTag);
    return Math.max(nextAt, notBefore, now + read * restMsPerTag);
  }

  async #groupByAccess(repository: string, consumers: readonly Consumer[], signal: AbortSignal): Promise<Group[]> {
    const groups = new Map<string, Group>();
    for (const consumer of consumers) {
      const access = await this.#deps.access.open(consumer.workload, consumer.reference, signal);
      tellProblems(this.#deps, consumer.workload, repository, access);
      const known = groups.get(access.key);
      if (known) known.group.push(consumer);
      else groups.set(access.key, { access, group: [consumer] });
    }
    return [...groups.values()];
  }

  /** Repositories are looked at one by one; those of one tick make one line. Looks between the ticks are for others. */
  #tellScan(group: readonly Consumer[]): void {
    const { workloads, log, clock } = this.#deps;
    const now = clock.now();
    if (!group.some(({ cadence }) => cadence.kind === 'schedule' && isDue(cadence, this.#scannedAt, now))) return;
    this.#scannedAt = now;
    logScan(workloads.all(), log);
  }

  #consumers(repository: string): Consumer[] {
    const consumers: Consumer[] = [];
    let filtered = 0;
    for (const workload of this.#deps.workloads.using(repository)) {
      const consumer = this.#wants(workload).get(repository);
      if (consumer) consumers.push(consumer);
      else filtered++;
    }
    if (filtered > 0) this.#deps.metrics.increment('polling_resources_filtered_total', {}, filtered);
    return consumers;
  }

  #wants(workload: Workload): Map<string, Consumer> {
    const { notes, clock, autorollout, pollingEnabled, intervalMs } = this.#deps;
    const settings = notes.settings(workload);
    const cadenceOf = ({ pollingIntervalMs }: ContainerSettings): Cadence | undefined => {
      if (!settings.autorollout && !pollingEnabled) return undefined;
      if (pollingIntervalMs !== undefined) return { kind: 'every', ms: pollingIntervalMs };
      return settings.autorollout ? { kind: 'schedule', schedule: autorollout().schedule } : { kind: 'every', ms: intervalMs };
    };
    return pollingNeeds(workload, settings, cadenceOf, clock.now());
  }

  #random(): number {
    return (this.#deps.random ?? Math.random)();
  }
}
