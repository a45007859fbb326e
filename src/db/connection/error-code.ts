/**
 * The code a database driver gave its error, `23505` or `SQLITE_BUSY` for example; '' when there is none. Drizzle wraps
 * what the driver threw.
 */
export function errorCode(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined) ?? ''
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
