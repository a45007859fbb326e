// Settings that most requests leave out: parameters of the provider, labels, the receiver of the result and the policies.
import { extraOf } from './extra.ts'
import type { StudioSettings } from './settings.ts'

export const MAX_LABELS = 16
export const MAX_CHARGES = 5
const MAX_EXTRA_CHARACTERS = 4_096
const MAX_LABEL_CHARACTERS = 500
const MAX_USER_CHARACTERS = 256

/** `allowed`: names of parameters that a provider takes. The others stay in the form. */
export function moreInputOf(settings: StudioSettings, allowed: readonly string[]) {
  const { callbackUrl, maxCharges, metadata, onUnknownOutcome, unsupported, user } = settings
  const extra = extraOf(settings.extra, allowed)
  const labels = metadata.filter(({ key, value }) => key.trim() !== '' || value !== '')
  return {
    ...(Object.keys(extra).length > 0 && { extra }),
    ...(labels.length > 0 && { metadata: labels.map(({ key, value }) => ({ key: key.trim(), value })) }),
    ...(callbackUrl.trim() !== '' && { callbackUrl: callbackUrl.trim() }),
    ...(user.trim() !== '' && { safetyIdentifier: user.trim() }),
    ...(onUnknownOutcome !== 'HOLD' && { onUnknownOutcome, maxCharges }),
    ...(unsupported !== 'WARN' && { unsupported }),
  }
}

/** Why it cannot be sent. Undefined if it can. */
export function moreObstacleOf(settings: StudioSettings, allowed: readonly string[]): string | undefined {
  const { extra, metadata = [], callbackUrl, safetyIdentifier = '' } = moreInputOf(settings, allowed)
  const length = extra ? Array.from(JSON.stringify(extra)).length : 0
  if (length > MAX_EXTRA_CHARACTERS)
    return `The parameters of the provider have ${length.toLocaleString('en')} characters; the maximum is 4,096.`
  const keys = metadata.map(({ key }) => key)
  const invalid = keys.find((key) => !/^[\w.-]{1,64}$/.test(key))
  if (invalid !== undefined)
    return `“${invalid}” cannot be the name of a label. Use 1 to 64 letters, digits, dots, dashes and underscores.`
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) return `There are two labels with the name ${twice}.`
  const long = metadata.find(({ value }) => Array.from(value).length > MAX_LABEL_CHARACTERS)
  if (long) return `The label ${long.key} has more than ${MAX_LABEL_CHARACTERS} characters.`
  if (callbackUrl && !isPublicUrl(callbackUrl))
    return 'The address for the result is not of the form https://…, on port 443 or 80.'
  if (Array.from(safetyIdentifier).length > MAX_USER_CHARACTERS)
    return `The end user has more than ${MAX_USER_CHARACTERS} characters.`
  return undefined
}

/** How many of these settings differ from their defaults. */
export function countMore(settings: StudioSettings, allowed: readonly string[]): number {
  const { maxCharges: _, ...input } = moreInputOf(settings, allowed)
  return Object.keys(input).length
}

function isPublicUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' && ['', '443', '80'].includes(url.port)
}
