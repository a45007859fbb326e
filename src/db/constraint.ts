/** Whether the database refused a row for what it holds: trying again would end the same. */
export function isConstraintViolation(error: unknown): boolean {
  // Drizzle wraps what the driver threw.
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  // Class 23 of https://www.postgresql.org/docs/current/errcodes-appendix.html, and https://sqlite.org/rescode.html.
  return /^(23\w{3}|SQLITE_CONSTRAINT.*)$/.test(String(code ?? cause?.code))
}
