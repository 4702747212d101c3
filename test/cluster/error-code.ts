/** The system's word for what went wrong (`ENOENT`, `ECONNRESET`), where there is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a kept connection turned out to be closed by the server meanwhile, which says nothing about the server now. */
export function isStaleConnection(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}
