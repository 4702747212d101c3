import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Log } from '../ports.ts';
import type { HttpApp, ServerName } from './app.ts';

export interface ServerOptions {
  readonly name: ServerName;
  /** undefined: all interfaces, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly app: HttpApp;
  readonly log: Log;
}

export interface RunningServer {
  readonly name: ServerName;
  /** The real one. */
  readonly port: number;
  /** Takes no more connections, lets running requests end (at most `graceMs`), then closes the rest. */
  close(graceMs?: number): Promise<void>;
}

/** A server could not be started: the sentence says which, where, and what to set. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

const receiveMs = 10_000;
const headerBytes = 32 * 1024;
/** Longer than the idle time of usual load balancers, so that they never send into a closing connection. */
const keepAliveMs = 75_000;
const drainStepMs = 50;
/** More would only fill the memory; senders and probes are a handful. */
const maximumConnections = 1000;

/** Starts a server with limits on headers and on the time to receive a request. Throws ListenError. */
export async function startServer({ name, host, port, app, log }: ServerOptions): Promise<RunningServer> {
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost',
    errorHandler(error) {
      if (error instanceof Error && error.name === 'RequestError')
        return new Response('Unusable request line or Host header\n', { status: 400 });
      log.error({ error, server: name }, 'request failed outside of its handler');
      return new Response('The operator failed\n', { status: 500 });
    },
  });
  const server = createServer(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: receiveMs,
      requestTimeout: receiveMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: keepAliveMs,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.maxConnections = maximumConnections;
  await listen(server, name, host, port);
  // Faults of single connections never end the process.
  server.on('error', (error) => log.warn({ error, server: name }, 'server error'));
  const address = server.address();
  const realPort = typeof address === 'object' && address !== null ? address.port : port;
  log.info({ server: name, host: host ?? 'all interfaces', port: realPort }, 'listening');
  return { name, port: realPort, close: (graceMs = 5000) => close(server, graceMs) };
}

function listen(server: Server, name: string, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, name, host, port)));
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(error: Error, name: string, host: string | undefined, port: number): ListenError {
  const where = `port ${port}${host === undefined ? '' : ` of ${host}`}`;
  const code = 'code' in error ? error.code : undefined;
  const why = code === 'EADDRINUSE' ? 'it is in use' : code === 'EACCES' ? 'it is not permitted' : error.message;
  const remedy = name === 'health' ? 'set webserver.port in the configuration file' : `set HEADWIND_${name.toUpperCase()}_PORT`;
  return new ListenError(`the ${name} server cannot listen on ${where}: ${why}; ${remedy} or HEADWIND_BIND_ADDRESS`, { cause: error });
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection that becomes idle after its last answer would otherwise stay open for the keep-alive time.
  const drain = setInterval(() => server.closeIdleConnections(), drainStepMs);
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(drain);
  clearTimeout(deadline);
}
