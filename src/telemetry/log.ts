import { pino } from 'pino';
import type { LogLevel } from '../core/config-table.ts';
import type { Audit, AuditEntry, Clock, Log } from '../ports.ts';
import { redactFields, redactText } from './redact.ts';

export interface OperatorLog extends Log {
  readonly audit: Audit;
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Where lines go; stdout by default, written at once. */
  readonly destination?: { write(line: string): unknown };
}

const reserved = new Set(['level', 'timestamp', 'target', 'message']);

/** JSON lines, redacted. Audit lines have the target `headwind::audit` and are written whatever the level. */
export function createLog({ level, clock, destination = standardOutput() }: LogOptions): OperatorLog {
  const logger = createLogger('headwind', level, clock, destination);
  const auditor = createLogger('headwind::audit', 'info', clock, destination);
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    audit: (entry) => auditor.info(entry, auditSentence(entry)),
    setLevel(next) {
      logger.level = pinoLevel(next);
    },
  };
}

/** `approve UpdateRequest shop/web-1 by alice: failed, WrongPhase (Deployment web: web:1.4 → web:1.5)` */
function auditSentence(entry: AuditEntry): string {
  const { action, resource_type: type, namespace, name, username, result, reason, target_kind: kind, target_name: target } = entry;
  const change = entry.to_image === undefined ? '' : ` (${kind} ${target}: ${entry.from_image} → ${entry.to_image})`;
  return `${action} ${type} ${namespace}/${name} by ${username}: ${result}${reason === undefined ? '' : `, ${reason}`}${change}`;
}

function createLogger(target: string, level: LogLevel, clock: Clock, destination: { write(line: string): unknown }): pino.Logger {
  return pino(
    {
      level: pinoLevel(level),
      base: { target },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: lineFields },
      hooks: {
        logMethod(args, method) {
          const [fields, message, ...rest] = args;
          method.apply(this, [fields, typeof message === 'string' ? redactText(message) : message, ...rest]);
        },
      },
    },
    { write: (line) => void destination.write(line) },
  );
}

/** Fields never take the place of what every line has. */
function lineFields(fields: object): Record<string, unknown> {
  const entries = Object.entries(redactFields(fields));
  return Object.fromEntries(entries.map(([name, value]) => [reserved.has(name) ? `${name}_` : name, value]));
}

function pinoLevel(level: LogLevel): string {
  return level === 'off' ? 'silent' : level;
}

function standardOutput(): { write(line: string): unknown } {
  const stdout = pino.destination({ fd: 1, sync: true });
  // A closed pipe must not end the operator: there is nobody left to tell.
  stdout.on('error', () => {});
  return stdout;
}
