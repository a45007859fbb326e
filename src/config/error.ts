export class ConfigError extends Error {
  override name = 'ConfigError'
  /** Sentences with the setting, its value and the rule. Without secrets. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}.`)
    this.problems = problems
  }
}
