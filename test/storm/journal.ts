// What happened to attempts and processes, and when. It explains a discrepancy.
import { performance } from 'node:perf_hooks'

export interface Journal {
  ofAttempt(attempt: string, text: string): void
  ofProcess(process: number, text: string): void
  /** In order of time; those of processes only with at least one attempt. */
  linesOf(attempts: readonly string[]): string[]
}

export function createJournal(): Journal {
  const startedAt = performance.now()
  const entries: { attempt: string | null; line: string }[] = []
  const note = (attempt: string | null, subject: string, text: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(2)
    entries.push({ attempt, line: `${seconds} s: ${subject} ${text}` })
  }
  return {
    ofAttempt: (attempt, text) => note(attempt, attempt, text),
    ofProcess: (process, text) => note(null, `process ${process}`, text),
    linesOf(attempts) {
      if (attempts.length === 0) return []
      const wanted = new Set<string | null>([null, ...attempts])
      return entries.flatMap(({ attempt, line }) => (wanted.has(attempt) ? [line] : []))
    },
  }
}
