// What the form of the Studio holds besides the prompt and the images.
import type {
  Background,
  Complexity,
  InputFidelity,
  Moderation,
  OutputFormat,
  Quality,
  StudioTask,
  Style,
  SvgEffort,
  UnknownOutcomePolicy,
  UnsupportedSettingPolicy,
} from '../api/generated.ts'
import { textsOf, type Label } from './extra.ts'

export interface StudioSettings {
  model: string
  /** Undefined: any. */
  provider: string | undefined
  size: string
  quality: Quality
  background: Background
  moderation: Moderation
  outputFormat: OutputFormat
  n: number
  partialImages: number
  /** Null leaves it to the provider, here and below. */
  outputCompression: number | null
  inputFidelity: InputFidelity | null
  style: Style | null
  complexity: Complexity | null
  frames: number | null
  frameDurationMs: number | null
  /** Empty leaves the author to the provider. */
  svgModel: string
  svgEffort: SvgEffort | null
  /** Parameters of the provider, as they are typed. */
  extra: Readonly<Record<string, string>>
  metadata: readonly Label[]
  callbackUrl: string
  /** Identifier of the end user. */
  user: string
  onUnknownOutcome: UnknownOutcomePolicy
  maxCharges: number
  unsupported: UnsupportedSettingPolicy
}

export type SettingName = Exclude<keyof StudioSettings, 'model' | 'provider'>

export const DEFAULT_SETTINGS: StudioSettings = {
  model: 'gpt-image-2',
  provider: undefined,
  size: 'auto',
  quality: 'AUTO',
  background: 'AUTO',
  moderation: 'AUTO',
  outputFormat: 'PNG',
  n: 1,
  // The picture is seen developing.
  partialImages: 3,
  outputCompression: null,
  inputFidelity: null,
  style: null,
  complexity: null,
  frames: null,
  frameDurationMs: null,
  svgModel: '',
  svgEffort: null,
  extra: {},
  metadata: [],
  callbackUrl: '',
  user: '',
  onUnknownOutcome: 'HOLD',
  maxCharges: 1,
  unsupported: 'WARN',
}

/** Those of an earlier task, to make another like it. */
export function settingsOfTask(task: StudioTask): StudioSettings {
  const { model, size, quality, background, moderation, outputFormat, n } = task
  const { outputCompression, inputFidelity, style, complexity } = task
  return {
    model,
    provider: task.allowedProviders?.length === 1 ? task.allowedProviders[0] : undefined,
    size,
    quality,
    background,
    moderation,
    outputFormat,
    n,
    outputCompression,
    inputFidelity,
    style,
    complexity,
    partialImages: task.partialImagesRequested,
    frames: task.animation?.frames ?? null,
    frameDurationMs: task.animation?.frameDurationMs ?? null,
    svgModel: task.svg?.model ?? '',
    svgEffort: task.svg?.effort ?? null,
    extra: textsOf(task.extra),
    metadata: task.metadata,
    callbackUrl: task.callbackUrl ?? '',
    user: task.safetyIdentifier ?? '',
    onUnknownOutcome: task.onUnknownOutcome,
    maxCharges: task.maxCharges,
    unsupported: task.unsupported,
  }
}
