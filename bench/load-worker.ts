// Sends webhooks over kept connections, one after the other on each, and times the answers. A process of its own; sockets and little else,
// so that the sender is not what is measured.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pushEnvelope } from '../test/e2e/call.ts';
import type { LoadInput, LoadResult } from './load.ts';
import { answerQuestions } from './worker.ts';

class Connection {
  readonly #socket: Socket;
  #received = '';
  #answered: ((status: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1').on('data', (chunk: string) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#failed?.(error)).on('close', () => this.#failed?.(new Error('connection closed')));
  }

  send(path: string, body: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/vnd.docker.distribution.events.v2+json`;
      this.#socket.write(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = '';
    this.#answered?.(status);
  }
}

async function load({ url, connections, durationMs, perSecond, pushes }: LoadInput): Promise<LoadResult> {
  const { port, pathname } = new URL(url);
  const startedAt = performance.now();
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  /** When the next one is due, and which it is. */
  const take = () => {
    const position = next++;
    const now = performance.now();
    const dueAt = perSecond === undefined ? now : startedAt + (position * 1000) / perSecond;
    const isOver = durationMs === undefined ? position >= pushes.length : Math.max(now, dueAt) - startedAt >= durationMs;
    return isOver ? undefined : { dueAt, push: pushes[position % pushes.length]! };
  };
  async function sendAll(connection: Connection): Promise<void> {
    for (let due = take(); due !== undefined; due = take()) {
      const { host, repository, tag, digest } = due.push;
      const body = JSON.stringify(pushEnvelope(host, repository, tag, digest));
      const waitMs = due.dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs);
      // Behind its time it waited for answers; a timer of ours that is late is no answer that is late.
      const sentAt = waitMs > 0 ? performance.now() : due.dueAt;
      const status = await connection.send(pathname, body);
      latencies.push(performance.now() - sentAt);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }
  const open = Array.from({ length: connections }, () => new Connection(Number(port)));
  try {
    await Promise.all(open.map(sendAll));
  } finally {
    for (const connection of open) connection.close();
  }
  return { sent: latencies.length, seconds: (performance.now() - startedAt) / 1000, statuses, latencies };
}

answerQuestions({ load });
