import { ApiError } from '../errors.ts';

/** Turns whatever went wrong into an answer: the only place in http/ that does. */

export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  /** PascalCase. */
  readonly reason: string;
  /** A sentence of ours; never the text of another server. */
  readonly sentence: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of a JSON body. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Thrown by handlers to give up with a certain answer. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.sentence);
    this.problem = problem;
  }
}

export const notReady: Problem = {
  status: 503,
  reason: 'NotReady',
  sentence: 'The operator has not read the cluster completely yet; try again in a moment',
  headers: { 'Retry-After': '2' },
};

const stopping: Problem = {
  status: 503,
  reason: 'Stopping',
  sentence: 'The operator is stopping; try again in a moment',
  headers: { 'Retry-After': '2' },
};

/** Expected failures by kind; everything else is our fault and tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof HttpProblem) return error.problem;
  if (error instanceof ApiError) return apiProblem(error);
  if (error instanceof Error && error.name === 'AbortError') return stopping;
  return { status: 500, reason: 'InternalError', sentence: 'The operator failed; its log has the details under this requestId' };
}

function apiProblem(error: ApiError): Problem {
  if (error.isNotFound) return { status: 404, reason: 'NotFound', sentence: 'There is no such object' };
  if (error.isConflict) return { status: 409, reason: 'Conflict', sentence: 'The object was changed at the same time; read it again' };
  if (error.isRefusal) {
    return {
      status: 500,
      reason: 'PatchRefused',
      sentence: 'The API server refused the change; the log has the details under this requestId',
    };
  }
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 5000) / 1000));
  return {
    status: 503,
    reason: 'ApiServerUnavailable',
    sentence: 'The API server cannot be reached or is busy; nothing was changed',
    headers: { 'Retry-After': String(seconds) },
  };
}
