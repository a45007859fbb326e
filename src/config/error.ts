export class ConfigError extends Error {
  override name = 'ConfigError'
  /** Setting, value and rule, without secrets. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}.`)
    this.problems = problems
  }
}
