import { Worker } from './worker.ts';

export interface PushClaim {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export interface LoadInput {
  readonly url: string;
  readonly connections: number;
  /** So long, with the pushes again and again; without it each push is sent once. */
  readonly durationMs?: number;
  /** So many, evenly, however long the answers take; a latency counts from when its webhook was due. Without it as fast as they are answered. */
  readonly perSecond?: number;
  readonly pushes: readonly PushClaim[];
}

export interface LoadResult {
  readonly sent: number;
  readonly seconds: number;
  /** Answers by status code. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly latencies: readonly number[];
}

/** Sends webhooks from a process of its own and waits for the end. */
export async function sendLoad(input: LoadInput): Promise<LoadResult> {
  const worker = new Worker('load-worker.ts');
  try {
    return await worker.ask('load', input);
  } finally {
    await worker.stop();
  }
}

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}
