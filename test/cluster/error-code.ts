/** The system's word for what went wrong (`ENOENT`, `ECONNRESET`), where there is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
