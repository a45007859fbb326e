/** The configuration cannot be used. Carries every problem found, so that one edit can repair them all. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  /** One sentence each: where, the value, and what would be right. Free of secrets. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}.`)
    this.problems = problems
  }
}
