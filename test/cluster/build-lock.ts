import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from './error-code.ts';

const heartbeatMs = 5_000;
const staleAfterMs = 30_000;

/** Runs `work` while no other process does so under the same folder. A holder that died is noticed and replaced. */
export async function withLock<T>(folder: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  for (let waited = 0; !take(lock); waited += 1) {
    if (isStale(lock)) rmSync(lock, { recursive: true, force: true });
    else {
      if (waited % 20 === 0) onWait();
      await delay(1_000);
    }
  }
  const heartbeat = setInterval(() => {
    touch(lock);
  }, heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner.json'), JSON.stringify({ host: hostname(), pid: process.pid }));
    return true;
  } catch {
    return false;
  }
}

function isStale(lock: string): boolean {
  try {
    const isSilent = Date.now() - statSync(lock).mtimeMs > staleAfterMs;
    return isSilent || isOwnerGone(lock);
  } catch {
    return false; // released at this moment: the next round takes it
  }
}

function isOwnerGone(lock: string): boolean {
  try {
    const owner: { host: string; pid: number } = JSON.parse(readFileSync(join(lock, 'owner.json'), 'utf8'));
    if (owner.host !== hostname()) return false;
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

function touch(lock: string): void {
  try {
    const now = new Date();
    utimesSync(lock, now, now);
  } catch {
    // taken over after a long sleep of this machine; two builders do no harm to each other
  }
}
