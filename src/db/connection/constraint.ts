import { errorCode } from './error-code.ts'

/** Whether the database refused a row for what it holds: trying again would end the same. */
export function isConstraintViolation(error: unknown): boolean {
  // Class 23 of https://www.postgresql.org/docs/current/errcodes-appendix.html, and https://sqlite.org/rescode.html.
  return /^(23\w{3}|SQLITE_CONSTRAINT.*)$/.test(errorCode(error))
}
