import {
  BACKGROUNDS,
  COMPLEXITIES,
  INPUT_FIDELITIES,
  MODERATIONS,
  OUTPUT_FORMATS,
  QUALITIES,
  STYLES,
  type Animation,
} from '../../domain.ts'
import type { TaskInput } from '../../engine/tasks/input.ts'
import { InvalidRequest } from './invalid-request.ts'
import { readSvg } from './svg-field.ts'
import { choice, readNumber, readText, shown, type Read } from './values.ts'

export interface Field {
  input: keyof TaskInput
  /** Several fields set one input. */
  part?: keyof Animation
  read: Read
}

/** Where two set the same input, the later one applies. */
export const FIELDS: Readonly<Record<string, Field>> = {
  prompt: { input: 'prompt', read: readText },
  model: { input: 'model', read: readText },
  n: { input: 'n', read: readNumber },
  size: { input: 'size', read: readText },
  quality: { input: 'quality', read: choice(QUALITIES) },
  background: { input: 'background', read: choice(BACKGROUNDS) },
  moderation: { input: 'moderation', read: choice(MODERATIONS) },
  output_format: { input: 'outputFormat', read: readFormat },
  output_compression: { input: 'outputCompression', read: readNumber },
  input_fidelity: { input: 'inputFidelity', read: choice(INPUT_FIDELITIES) },
  style: { input: 'style', read: choice(STYLES) },
  partial_images: { input: 'partialImages', read: readNumber },
  user: { input: 'user', read: readLabel },
  safety_identifier: { input: 'safetyIdentifier', read: readLabel },
  complexity: { input: 'complexity', read: choice(COMPLEXITIES) },
  frame_count: { input: 'animation', part: 'frames', read: readNumber },
  frame_duration_ms: { input: 'animation', part: 'frameDurationMs', read: readNumber },
  svg: { input: 'svg', read: readSvg },
}

export function setField(given: Partial<TaskInput>, { input, part }: Field, value: unknown): void {
  if (part === undefined) Object.assign(given, { [input]: value })
  else given.animation = { frames: null, frameDurationMs: null, ...given.animation, [part]: value }
}

export const RESPONSE_FIELDS: ReadonlySet<string> = new Set(['stream', 'response_format', 'darkroom'])

const NAMES = new Map([
  ['animation', 'frame_count'],
  ['svg.effort', 'svg.reasoning.effort'],
  ...Object.entries(FIELDS).map(([name, { input, part }]): [string, string] => [
    part === undefined ? input : `${input}.${part}`,
    name,
  ]),
])

/** `outputFormat` as `output_format`, `animation.frames` as `frame_count`. Other names stay. */
export function nameOf(input: string): string {
  return input === 'user' ? input : (NAMES.get(input) ?? input)
}

export function withNames(message: string): string {
  return message.replaceAll(/\b(?:animation(?:\.\w+)?|svg\.effort|[a-z]+[A-Z]\w*)\b/g, nameOf)
}

/** Of an end user. Null for an empty one. */
function readLabel(value: unknown, name: string): string | null {
  return readText(value, name) || null
}

function readFormat(value: unknown, name: string): string {
  const word = value === 'jpg' ? 'jpeg' : value
  const found = OUTPUT_FORMATS.find((format) => format.toLowerCase() === word)
  if (found !== undefined) return found
  throw new InvalidRequest(
    'unsupported_value',
    `${name} is ${shown(value)}; use ${OUTPUT_FORMATS.join(', ').toLowerCase()}.`,
    name,
  )
}
