// Evidence and decisions about an attempt in words.
import type { AttemptDetail, AttemptResolution } from '../api/generated.ts'

export const PHASES: Readonly<Record<AttemptDetail['wirePhase'], string>> = {
  NONE: 'No request was made',
  INTENT: 'No byte is known to have left',
  DISPATCHED: 'The request was handed to a connection; no response',
  HEADERS: 'Response headers received',
  BODY_DONE: 'Response received',
}

/** For a column. */
export const SHORT_PHASES: Readonly<Record<AttemptDetail['wirePhase'], string>> = {
  NONE: 'No request',
  INTENT: 'Nothing sent',
  DISPATCHED: 'Sent, no response',
  HEADERS: 'Headers received',
  BODY_DONE: 'Response received',
}
export const RESOLUTIONS: Readonly<Record<AttemptResolution, string>> = {
  NOT_CHARGED: 'not charged',
  CHARGED_RESULT_LOST: 'charged, result lost',
  ADOPT_REMOTE_ID: 'follow the id at the provider',
}
