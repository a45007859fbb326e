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

/** The command line is wrong; the message says what is right. The dispatcher adds the help of the command that was called. */
export class UsageError extends Error {
  override name = 'UsageError'
}
