import type { Extra, Settings } from '../../domain.ts'
import { EXTRA_NAME, MAX_FRAME_DURATION_MS, MAX_FRAMES } from '../../providers/models/offers.ts'

export type InputProblem = [field: string, message: string]

const MAX_EXTRA_NAMES = 16
const MAX_EXTRA_CHARACTERS = 4096
const MAX_MODEL_CHARACTERS = 128

export function* checkFormatSettings({
  outputFormat,
  animation,
  svg,
}: Pick<Settings, 'outputFormat' | 'animation' | 'svg'>): Generator<InputProblem> {
  if (animation) {
    const { frames, frameDurationMs } = animation
    if (outputFormat !== 'GIF') yield ['animation', 'animation is for outputFormat GIF only.']
    if (frames !== null) yield* checkRange('animation.frames', frames, 1, MAX_FRAMES)
    if (frameDurationMs !== null)
      yield* checkRange('animation.frameDurationMs', frameDurationMs, 1, MAX_FRAME_DURATION_MS)
  }
  if (!svg) return
  if (outputFormat !== 'SVG') yield ['svg', 'svg is for outputFormat SVG only.']
  yield* checkText('svg.model', svg.model)
  if (svg.model === '' || svg.model.length > MAX_MODEL_CHARACTERS)
    yield [
      'svg.model',
      `svg.model has ${svg.model.length} characters; it must have 1 to ${MAX_MODEL_CHARACTERS}.`,
    ]
}

export function* checkExtra(extra: Extra): Generator<InputProblem> {
  const names = Object.keys(extra)
  if (names.length > MAX_EXTRA_NAMES)
    yield ['extra', `extra has ${names.length} parameters; the maximum is ${MAX_EXTRA_NAMES}.`]
  const odd = names.find((name) => !EXTRA_NAME.test(name))
  if (odd !== undefined)
    yield [
      'extra',
      `extra has the name ${JSON.stringify(odd.slice(0, 70))}; a name is a letter and up to 63 letters, digits, dots, dashes or underscores.`,
    ]
  const text = JSON.stringify(extra)
  if (text.length > MAX_EXTRA_CHARACTERS)
    yield ['extra', `extra has ${text.length} characters as JSON; the maximum is ${MAX_EXTRA_CHARACTERS}.`]
  // JSON escapes exactly these: NUL and halves of surrogate pairs.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) yield* checkText('extra', '\0')
}

export function* checkText(field: string, text: string): Generator<InputProblem> {
  if (!text.isWellFormed() || text.includes('\0'))
    yield [field, `${field} is not valid text: it contains NUL or half of a surrogate pair.`]
}

export function* checkRange(field: string, value: number, min: number, max: number): Generator<InputProblem> {
  if (!Number.isInteger(value) || value < min || value > max)
    yield [field, `${field} is ${value}; it must be a whole number from ${min} to ${max}.`]
}
