/** Such as `23505` or `SQLITE_BUSY`; '' without one. Drizzle wraps the driver's error. */
export function errorCode(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined) ?? ''
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** A value or a row was refused; a retry would fail again. */
export function isValueRefused(error: unknown): boolean {
  // Classes 22 and 23 of https://www.postgresql.org/docs/current/errcodes-appendix.html, and https://sqlite.org/rescode.html.
  return /^(?:2[23]\w{3}|SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|RANGE).*)$/.test(errorCode(error))
}
