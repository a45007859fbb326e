import {
  DEFAULT_SETTINGS,
  type Animation,
  type Extra,
  type ImageRequest,
  type OutputFormat,
  type Settings,
  type SvgAuthor,
  type Warning,
} from '../../domain.ts'
import type { Capabilities } from '../../providers/provider.ts'

/** With the rules of a format, or of the one that replaces it. */
export function inFormat(can: Capabilities, requested: OutputFormat): Capabilities {
  const format = can.outputFormats.includes(requested) ? requested : can.outputFormats[0]
  const rule = Object.entries((format && can.formatRules[format]) ?? {}).filter(
    ([, value]) => value !== undefined,
  )
  return { ...can, ...Object.fromEntries(rule) }
}

/** A still raster image is no substitute: refused where unsupported. */
export function isOfItsOwn(format: OutputFormat): boolean {
  return format === 'GIF' || format === 'SVG'
}

/** Pure. Replaces each unsupported setting by the nearest supported one, with a warning. */
export function adjustSettings(
  given: Settings & Pick<ImageRequest, 'operation'>,
  capabilities: Capabilities,
): { settings: Settings; warnings: Warning[] } {
  const request = { ...DEFAULT_SETTINGS, ...given }
  const can = inFormat(capabilities, request.outputFormat)
  const warnings: Warning[] = []
  const { model } = request
  const settings: Settings = {
    prompt: request.prompt,
    model,
    size: request.size,
    n: request.n,
    quality: oneOf('quality', request.quality, can.qualities, 'AUTO'),
    background: oneOf('background', request.background, can.backgrounds, 'AUTO'),
    moderation: oneOf('moderation', request.moderation, can.moderations, 'AUTO'),
    outputFormat: isOfItsOwn(request.outputFormat)
      ? request.outputFormat
      : oneOf('outputFormat', request.outputFormat, can.outputFormats, can.outputFormats[0] ?? 'PNG'),
    outputCompression: ifSupported('outputCompression', request.outputCompression, can.outputCompression),
    // Needs an input.
    inputFidelity: oneOfOrNull(
      'inputFidelity',
      request.inputFidelity,
      request.operation === 'EDIT' ? can.inputFidelities : [],
    ),
    style: oneOfOrNull('style', request.style, can.styles),
    partialImages: Math.min(request.partialImages, can.maxPartialImages),
    ...identifierOf(request, can),
    complexity: oneOfOrNull('complexity', request.complexity, can.complexities),
    animation: toAnimation(request.animation),
    svg: toSvg(request.svg),
    extra: toExtra(request.extra),
  }
  if (request.partialImages > can.maxPartialImages) {
    const max =
      can.maxPartialImages === 0 ? 'no partial images' : `at most ${can.maxPartialImages} partial images`
    warn('SETTING_CHANGED', 'partialImages', `${model} sends ${max} here.`)
  }
  return { settings, warnings }

  /** One name: the newer one where the model has it. */
  function identifierOf(
    { user, safetyIdentifier }: Settings,
    { user: takesUser, safetyIdentifier: takesNewer }: Capabilities,
  ) {
    if (takesNewer && (safetyIdentifier !== null || !takesUser))
      return { user: null, safetyIdentifier: safetyIdentifier ?? user }
    const field = safetyIdentifier === null ? 'user' : 'safetyIdentifier'
    return { user: ifSupported(field, user ?? safetyIdentifier, takesUser), safetyIdentifier: null }
  }

  function toAnimation(animation: Animation | null): Animation | null {
    const rule = can.outputFormats.includes(request.outputFormat) ? can.animation : null
    if (!ifSupported('animation', animation, rule !== null) || !animation || !rule) return null
    const { frames, frameDurationMs: wanted } = animation
    if (wanted === null) return animation
    const { frameStepMs: step, maxFrameMs: max } = rule
    const frameDurationMs = Math.min(max, Math.max(step, Math.round(wanted / step) * step))
    if (frameDurationMs !== wanted) {
      const message = `${model} has frame durations in steps of ${step} ms up to ${max} here; ${frameDurationMs} is used.`
      warn('SETTING_CHANGED', 'animation.frameDurationMs', message)
    }
    return { frames, frameDurationMs }
  }

  function toSvg(svg: SvgAuthor | null): SvgAuthor | null {
    if (!ifSupported('svg', svg, can.svg !== null) || !svg || !can.svg) return null
    return { model: svg.model, effort: oneOfOrNull('svg.effort', svg.effort, can.svg.efforts) }
  }

  function toExtra(extra: Extra | null): Extra | null {
    const kept = Object.entries(extra ?? {}).filter(
      ([name, value]) => ifSupported(`extra.${name}`, value ?? '', can.extra.includes(name)) !== null,
    )
    return kept.length > 0 ? Object.fromEntries(kept) : null
  }

  function warn(code: Warning['code'], field: string, message: string): void {
    warnings.push({ code, field, message })
  }

  function oneOf<T extends string>(field: string, value: T, supported: readonly T[], fallback: T): T {
    if (value === 'AUTO' || supported.includes(value)) return value
    warn(
      'SETTING_CHANGED',
      field,
      `${model} does not support ${field} ${value} here; ${fallback} is used. It supports ${supported.join(', ')}.`,
    )
    return fallback
  }

  function oneOfOrNull<T extends string>(field: string, value: T | null, supported: readonly T[]): T | null {
    if (value === null || supported.includes(value)) return value
    warn('SETTING_IGNORED', field, `${model} does not support ${field} here; ${value} is ignored.`)
    return null
  }

  function ifSupported<T>(field: string, value: T | null, isSupported: boolean): T | null {
    if (value === null || isSupported) return value
    warn('SETTING_IGNORED', field, `${model} does not support ${field} here; it is ignored.`)
    return null
  }
}
