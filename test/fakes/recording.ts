import type { MetricName } from '../../src/core/metric-table.ts';
import type { AuditEntry, EventSubject, Events, Log, Metrics } from '../../src/ports.ts';

/** Ports that only tell: what they were told stands in a list. */

export class RecordingLog implements Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  readonly audits: AuditEntry[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', message, fields });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', message, fields });
  }

  readonly audit = (entry: AuditEntry): void => void this.audits.push(entry);
}

export class RecordingMetrics implements Metrics {
  readonly #values = new Map<string, number>();

  /** The value under `name{label="value",…}`, labels in the order in which they were given; 0 when nothing was counted. */
  value(name: MetricName, labels: Readonly<Record<string, string>> = {}): number {
    return this.#values.get(keyOf(name, labels)) ?? 0;
  }

  increment(name: MetricName, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    this.#values.set(keyOf(name, labels), this.value(name, labels) + by);
  }

  set(name: MetricName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#values.set(keyOf(name, labels), value);
  }

  observe(name: MetricName, _seconds: number, labels: Readonly<Record<string, string>> = {}): void {
    this.increment(name, labels);
  }

  reset(name: MetricName): void {
    for (const key of this.#values.keys()) if (key.startsWith(`${name}{`)) this.#values.delete(key);
  }
}

export class RecordingEvents implements Events {
  /** `Deployment shop/web UpdateApproved` */
  readonly emitted: string[] = [];
  readonly messages: string[] = [];

  emit({ kind, namespace, name }: EventSubject, reason: string, message: string): void {
    this.emitted.push(`${kind} ${namespace}/${name} ${reason}`);
    this.messages.push(message);
  }
}

function keyOf(name: MetricName, labels: Readonly<Record<string, string>>): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}
