import type { InvalidCode } from './problem.ts'

/** A request that breaks a rule of this API, before a task exists. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest'
  readonly code: InvalidCode
  /** The field as the client named it. */
  readonly param: string | null

  constructor(code: InvalidCode, message: string, param: string | null) {
    super(message)
    this.code = code
    this.param = param
  }
}
