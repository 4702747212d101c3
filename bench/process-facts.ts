import { readFileSync, writeFileSync } from 'node:fs';

/** What Linux knows of a process. */
export interface Memory {
  /** Resident now. */
  readonly rssMiB: number;
  /** The most that was ever resident, or since `resetPeak`. */
  readonly peakMiB: number;
  /** Of the resident part: pages of files (the node binary above all), and memory of its own. */
  readonly fileMiB: number;
  readonly anonymousMiB: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { rssMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM'), fileMiB: mebibytes('RssFile'), anonymousMiB: mebibytes('RssAnon') };
}

/** From now on `peakMiB` is counted anew. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

// Of every Linux that Node runs on.
const ticksPerSecond = 100;

/** CPU time of the process so far, in user and in system mode. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The name of the program. */
export function nameOfProcess(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}
