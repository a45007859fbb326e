/** What the process says when it ends; the numbers are those of sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** EX_USAGE: the command line makes no sense. */
  usage: 64,
  /** EX_TEMPFAIL: stopped before calls under way had ended. */
  abandoned: 75,
  /** EX_CONFIG. */
  config: 78,
  /** 128 + SIGINT, as shells report it. */
  interrupted: 130,
} as const

/** The command line makes no sense; the message says what would. */
export class UsageError extends Error {
  override name = 'UsageError'
  /** The command whose help would explain it; null when the command itself is the mistake. */
  readonly command: string | null

  constructor(command: string | null, message: string) {
    super(message)
    this.command = command
  }
}
