import { z } from 'zod'

export const PROBLEMS = z.array(z.object({ attemptId: z.string(), code: z.string(), message: z.string() }))
export const PROBLEM_FIELDS = 'attemptId code message'

const MAX_PRINTED = 20

export function printProblems(problems: z.output<typeof PROBLEMS>): string {
  if (problems.length === 0) return ''
  const lines = problems.slice(0, MAX_PRINTED).map(({ message }) => `    ${message}\n`)
  const more = problems.length > MAX_PRINTED ? `    … and ${problems.length - MAX_PRINTED} more.\n` : ''
  return `  Not done for ${problems.length} attempts:\n${lines.join('')}${more}`
}
