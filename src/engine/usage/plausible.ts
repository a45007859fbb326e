import { parseSize, TOKEN_COUNTS, type ImageRequest, type Usage } from '../../domain.ts'
import { countInputs } from './cost.ts'
import { maxTokens } from '../../providers/models/tokens.ts'
import { UNKNOWN_USAGE, type ResolvedSettings } from '../../providers/provider.ts'

/** Beyond, a count is the provider's error. */
const MAX_FACTOR = 10

/** No text model writes as much in one call. */
const MAX_SVG_TOKENS = 2_000_000

export interface PlausibleUsage {
  /** Implausible counts are null; UNKNOWN without others. */
  usage: Usage
  /** Names of counts. */
  implausible: string[]
}

/** Against the maximum of all: providers add text, and may choose another quality. */
export function plausibleUsage(
  { source, ...counts }: Usage,
  model: string,
  request: ImageRequest,
  { size = request.size }: ResolvedSettings,
  n: number,
): PlausibleUsage {
  const inputImages = countInputs(request)
  const known = parseSize(size) ? size : request.size
  const tokens = maxTokens(model, { ...request, size: known, quality: 'AUTO', inputImages }, n)
  const limit =
    MAX_FACTOR *
    (tokens.inputText + tokens.inputImage + tokens.outputImage * (request.animation?.frames ?? 1))
  const implausible = TOKEN_COUNTS.filter(
    (name) => (counts[name] ?? 0) > (name.startsWith('svg') ? MAX_SVG_TOKENS : limit),
  )
  if (implausible.length === 0) return { usage: { ...counts, source }, implausible }
  const plausible = { ...counts, ...Object.fromEntries(implausible.map((name) => [name, null])) }
  const isUnknown = TOKEN_COUNTS.every((name) => plausible[name] === null || plausible[name] === 0)
  return { usage: isUnknown ? UNKNOWN_USAGE : { ...plausible, source }, implausible }
}
