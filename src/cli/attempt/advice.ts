import type { Evidence } from './evidence.ts'

/** What an operator can do about an attempt, in lines. */
export function adviceFor(evidence: Evidence): string[] {
  const { attempt, task } = evidence
  if (attempt.state === 'UNKNOWN') return unknownAdvice(evidence)
  if (attempt.state === 'SENDING' || attempt.state === 'ACCEPTED')
    return ['Nothing to do: the attempt is running. If its worker has died, another one recovers it.']
  if (attempt.state === 'FAILED' && attempt.charged !== 'NO')
    return [
      `To pay for another attempt: retryTask(id: "${task.id}", acceptPossibleSecondCharge: true)`,
      `The bill of ${attempt.provider} shows whether this attempt was charged.`,
    ]
  return [attempt.charged === 'YES' ? 'Nothing to do.' : 'Nothing to do: the attempt was not charged.']
}

function unknownAdvice({ attempt, provider, decisions }: Evidence): string[] {
  const resolve = (resolution: string) => `  resolveAttempt(id: "${attempt.id}", resolution: ${resolution})`
  const ids = [attempt.remoteId, attempt.providerRequestId, attempt.id].filter((id) => id !== null)
  return [
    `Look for ${ids.join(' or ')} on the bill of ${attempt.provider}, or ask its support.`,
    'Then resolve the attempt:',
    '',
    resolve('NOT_CHARGED'),
    '    It was not charged. The permit is returned, and the task is tried again.',
    resolve('CHARGED_RESULT_LOST'),
    '    It was charged, and the images are lost. The task fails.',
    ...(provider?.check
      ? [
          resolve('ADOPT_REMOTE_ID, remoteId: "…"'),
          '    The provider has this remote ID. The result is fetched from there.',
        ]
      : []),
    '',
    'A result or callback that arrives late is still accepted.',
    ...(decisions.length > 0 ? ['An operator has decided about this attempt before: see Decision.'] : []),
  ]
}
