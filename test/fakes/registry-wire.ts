import type { IncomingMessage, ServerResponse } from 'node:http';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads a request to its end. */
export async function recordRequest(incoming: IncomingMessage): Promise<RecordedRequest> {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]);
  return { method: incoming.method ?? '', url: incoming.url ?? '', headers: Object.fromEntries(headers), body };
}

/** The registry's own error format. */
export function sendError(response: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' '), detail: {} }] });
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
