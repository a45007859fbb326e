import type { Evidence } from './evidence.ts'

/** What a person may do about an attempt, in lines; what happens by itself where there is nothing to do. */
export function adviceFor(evidence: Evidence): string[] {
  const { attempt, task } = evidence
  if (attempt.state === 'UNKNOWN') return inDoubt(evidence)
  if (attempt.state === 'SENDING' || attempt.state === 'ACCEPTED')
    return [
      'Nothing to do: it is under way. Should its worker have died, the next look finds it within seconds.',
    ]
  if (attempt.state === 'FAILED' && attempt.charged !== 'NO')
    return [
      `To pay for another try: retryTask(id: "${task.id}", acceptPossibleSecondCharge: true).`,
      `Its bill at ${attempt.provider} shows whether it was charged.`,
    ]
  if (attempt.charged === 'YES') return ['Nothing to do.']
  return ['Nothing to do: it cost nothing.']
}

function inDoubt({ attempt, provider, decisions }: Evidence): string[] {
  const resolve = (what: string) => `  resolveAttempt(id: "${attempt.id}", resolution: ${what})`
  const ids = [attempt.remoteId, attempt.providerRequestId, attempt.id].filter((id) => id !== null)
  return [
    `Ask ${attempt.provider}, or look at its bill, for ${ids.join(' or ')}. Then say what you found:`,
    '',
    resolve('NOT_CHARGED'),
    '    it was not charged: the permit comes back, and the task is tried again',
    resolve('CHARGED_RESULT_LOST'),
    '    it was charged and the images are gone: the task ends as failed',
    ...(provider?.check
      ? [
          resolve('ADOPT_REMOTE_ID, remoteId: "…"'),
          '    it has an order id there: the upstream is asked, and what comes is taken',
        ]
      : []),
    '',
    'A result or a callback that still comes is taken in by itself.',
    ...(decisions.length > 0 ? ['It was decided about before, see above.'] : []),
  ]
}
