import { createServer } from 'node:net';

const taken = new Set<number>();

/**
 * A port of 127.0.0.1 that nobody listens on. Below the range the kernel hands out by itself, so that between now and the
 * start of the server (or its restart) no outgoing connection and no `listen(0)` takes it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 14_000);
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Whether a log says that somebody else was faster to take the port. */
export function saysPortIsTaken(log: string): boolean {
  return /address already in use|EADDRINUSE/.test(log);
}
