import { Worker } from './worker.ts';

export interface TakenRequests {
  readonly total: number;
  readonly repositories: number;
  readonly manifestGets: number;
}

/** An in-memory registry in a process of its own. */
export interface BenchRegistry {
  /** `127.0.0.1:port` */
  readonly host: string;
  push(tags: readonly (readonly [repository: string, tag: string])[]): Promise<void>;
  /** What it was asked since the last call. */
  takeRequests(): Promise<TakenRequests>;
  stop(): Promise<void>;
}

export async function startBenchRegistry(): Promise<BenchRegistry> {
  const worker = new Worker('registry-worker.ts');
  try {
    return {
      host: await worker.ask('host'),
      push: (tags) => worker.ask('push', tags),
      takeRequests: () => worker.ask('takeRequests'),
      stop: () => worker.stop(),
    };
  } catch (error) {
    await worker.stop();
    throw error;
  }
}
