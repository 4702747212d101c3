import assert from 'node:assert/strict';
import { readHistory } from '../../src/core/history.ts';
import type { MetricName } from '../../src/core/metric-table.ts';
import { workloadKey } from '../../src/core/workload.ts';
import { list, mapping, members, text, type Value } from './scenario-file.ts';
import { summarize, type World } from './world.ts';

const names = [
  'requests',
  'names',
  'images',
  'annotations',
  'history',
  'holds',
  'writes',
  'patches',
  'events',
  'registry',
  'audit',
  'metrics',
  'says',
] as const;

/** Compares a world with what a scenario expects. Lists of what happened begin where the last look ended. */
export class Observer {
  readonly #world: World;
  readonly #read = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** `nothing`: no write, no Event, no call of the registry since the last look. */
  check(value: Value): void {
    const wanted = value === 'nothing' ? { writes: [], events: [], registry: [] } : members(value, 'expect', names);
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(wanted)) {
      const key = name as (typeof names)[number];
      found[name] = this.#find(key, item);
      expected[name] = key === 'says' || key === 'names' ? list(item).map(() => true) : isList(key) ? list(item) : mapping(item, name);
    }
    assert.deepEqual(found, expected, this.#describe());
    this.#markAll();
  }

  #find(name: (typeof names)[number], wanted: Value): unknown {
    const { cluster, events, registry, log, metrics } = this.#world;
    switch (name) {
      case 'requests':
        return [...cluster.requests.all()].map((request) => this.#path(request.spec.targetRef.name) + summarize(request));
      case 'names': {
        const all = [...cluster.requests.all()].map(({ metadata }) => metadata.name);
        return list(wanted).map(
          (pattern, index) => new RegExp(`^${text(pattern, name)}$`).test(all[index] ?? '') || (all[index] ?? 'missing'),
        );
      }
      case 'images':
        return this.#perContainer(wanted, (workload, container) => workload.slots.find((slot) => slot.container === container)?.image);
      case 'annotations':
        return mapObject(wanted, (key) => this.#world.onlyWorkload().annotations[`headwind.sh/${key}`] ?? '~');
      case 'history':
        return this.#perContainer(wanted, (workload, wantedContainer) =>
          readHistory(workload.annotations)
            .entries.filter(({ container }) => container === wantedContainer)
            .map(({ image, approvedBy }) => `${image} by ${approvedBy}`),
        );
      case 'holds':
        return this.#perContainer(
          wanted,
          (workload, container) =>
            this.#world.deps.notes.plan(workloadKey(workload))?.find((slot) => slot.container === container)?.reason ?? '~',
        );
      case 'writes':
        return this.#since('writes', cluster.writes);
      case 'patches':
        return this.#since('patches', cluster.workloads.patches).map(({ key, change }) =>
          Object.fromEntries([
            ...[...change.images].map(([container, image]) => [this.#path(key.split('/')[2] ?? '') + container, image]),
            ...(change.restart ? [['restart', `${change.restart.annotation} by ${change.restart.fieldManager}`]] : []),
          ]),
        );
      case 'events':
        return this.#since('events', events.emitted).map((line) => this.#eventText(line));
      case 'registry':
        return this.#since('registry', registry.calls)
          .filter((call) => !call.startsWith('contents '))
          .map((call) => call.replace('docker.io/library/', ''));
      case 'audit':
        return this.#since('audit', log.audits).map(({ action, username, result }) => `${action} by ${username}: ${result}`);
      case 'metrics':
        return mapObject(wanted, (key) => String(metrics.value(key as MetricName)));
      case 'says': {
        const texts = [...cluster.requests.all()].flatMap(({ status }) => [
          status.message ?? '',
          ...(status.conditions ?? []).map(({ message }) => message),
        ]);
        const told = this.#since('messages', events.messages);
        return list(wanted).map(
          (part) => [...texts, ...told].some((line) => line.includes(text(part, name))) || `nobody says ${text(part, name)}`,
        );
      }
    }
  }

  #perContainer(wanted: Value, read: (workload: ReturnType<World['workload']>, container: string) => unknown): Record<string, unknown> {
    return mapObject(wanted, (key) => {
      const slash = key.lastIndexOf('/');
      const workload = slash < 0 ? this.#world.onlyWorkload() : this.#world.workload(key.slice(0, slash));
      return read(workload, key.slice(slash + 1));
    });
  }

  #path(workload: string): string {
    return this.#world.hasSeveralWorkloads ? `${workload}/` : '';
  }

  /** `UpdateApplied` on the workload, `request UpdateCompleted` on a request. */
  #eventText(line: string): string {
    const [kind, path = '', reason = ''] = line.split(' ');
    return kind === 'UpdateRequest' ? `request ${reason}` : `${this.#path(path.split('/')[1] ?? '')}${reason}`;
  }

  #since<T>(name: string, all: readonly T[]): T[] {
    return all.slice(this.#read.get(name) ?? 0);
  }

  #markAll(): void {
    const { cluster, events, registry, log } = this.#world;
    this.#read.set('writes', cluster.writes.length);
    this.#read.set('patches', cluster.workloads.patches.length);
    this.#read.set('events', events.emitted.length);
    this.#read.set('messages', events.messages.length);
    this.#read.set('registry', registry.calls.length);
    this.#read.set('audit', log.audits.length);
  }

  #describe(): string {
    const requests = [...this.#world.cluster.requests.all()].map((request) => `  ${summarize(request)}: ${request.status.message ?? ''}`);
    const failures = this.#world.log.lines
      .filter(({ level }) => level === 'error')
      .map(({ message, fields }) => `  ${message} ${JSON.stringify(fields, errorText)}`);
    return ['not as expected; requests:', ...requests, 'errors:', ...failures].join('\n');
  }
}

function errorText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.stack : value;
}

function isList(name: (typeof names)[number]): boolean {
  return ['requests', 'writes', 'patches', 'events', 'registry', 'audit'].includes(name);
}

function mapObject(wanted: Value, read: (key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.keys(mapping(wanted, 'expect')).map((key) => [key, read(key)]));
}
