import { type Config, isLoopback, type Listener } from '../config.ts';

/** Where the health routes need a server of their own: nowhere when another one has the port, for all serve them. */
export function healthListener(
  { webhook, api, metrics }: Config['listen'],
  port: number | undefined,
): { readonly listener?: Listener; readonly warning?: string } {
  if (port === undefined) return {};
  const other = [webhook, api, metrics].find((each) => each.port === port && port !== 0);
  if (!other) return { listener: { host: webhook.host, port } };
  if (!isLoopback(other.host) || isLoopback(webhook.host)) return {};
  return {
    warning: `webserver.port ${port} is the port of the API, which listens on ${other.host} only: probes from outside do not reach it; write another port, or set HEADWIND_API_PORT`,
  };
}
