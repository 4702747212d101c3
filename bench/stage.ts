import type { Report } from './report.ts';
import type { Scale } from './scale.ts';

/** What every part of the run is given. */
export interface StageContext {
  readonly report: Report;
  readonly scale: Scale;
  /** `bin/headwind`, or another build of it. */
  readonly executable: string;
  /** Variables for the operator. */
  readonly env: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Runs the steps with things that are stopped in reverse order, whatever happens. */
export async function withCleanUp<T>(run: (keep: <P extends Stoppable>(part: P) => P) => Promise<T>): Promise<T> {
  const parts: Stoppable[] = [];
  try {
    return await run((part) => {
      parts.push(part);
      return part;
    });
  } finally {
    for (const part of parts.toReversed()) await part.stop();
  }
}
