import { existsSync, readFileSync } from 'node:fs';

/** One request that the API server answered. A watch counts once, when it started. */
export interface AuditEntry {
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly uri: string;
  readonly at: string;
}

/** Every request in the log, in the order of their answers. */
export function readAuditLog(path: string): AuditEntry[] {
  if (!existsSync(path)) return [];
  const seen = new Set<string>();
  const entries: AuditEntry[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const event = parse(line);
    if (event === undefined || seen.has(event.auditID)) continue;
    seen.add(event.auditID);
    entries.push(entryOf(event));
  }
  return entries;
}

/** Undefined for a line that is still being written. */
function parse(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function entryOf(event: any): AuditEntry {
  const { resource = '', subresource = '', namespace = '', name = '' } = event.objectRef ?? {};
  return {
    user: event.user?.username ?? '',
    userAgent: event.userAgent ?? '',
    verb: event.verb,
    resource,
    subresource,
    namespace,
    name,
    code: event.responseStatus?.code ?? 0,
    uri: event.requestURI,
    at: event.stageTimestamp,
  };
}
