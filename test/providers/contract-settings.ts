import type { Capabilities, ProviderRequest, ProviderRequestImage } from '../../src/providers/provider.ts'

export interface Setting {
  /** One setting besides the defaults. */
  overrides: Partial<ProviderRequest>
  /** Its text in the request, if it is a string or number there; otherwise empty. */
  wireText: string
}

/** Yields every setting that the capabilities of a model allow, one at a time. */
export function* eachSetting(
  capabilities: Capabilities,
  inputOf: (bytes: Buffer) => ProviderRequestImage,
): Generator<Setting> {
  const images = (count: number) =>
    Array.from({ length: count }, (_, at) => inputOf(Buffer.from(`image ${at}`)))
  if (capabilities.operations.includes('GENERATE')) yield* ofGenerations(capabilities)
  if (!capabilities.operations.includes('EDIT')) return
  for (const count of [1, capabilities.maxInputImages])
    yield { overrides: { images: images(count) }, wireText: 'image' }
  if (capabilities.mask)
    yield { overrides: { images: images(1), mask: inputOf(Buffer.from('mask')) }, wireText: 'mask' }
  for (const inputFidelity of capabilities.inputFidelities) {
    yield { overrides: { images: images(1), inputFidelity }, wireText: inputFidelity.toLowerCase() }
  }
}

function* ofGenerations(capabilities: Capabilities): Generator<Setting> {
  for (const size of capabilities.sizes.kind === 'list' ? capabilities.sizes.values : SAMPLE_SIZES)
    yield { overrides: { size }, wireText: size }
  for (const quality of capabilities.qualities)
    yield { overrides: { quality }, wireText: wireTextOf(quality) }
  for (const background of capabilities.backgrounds)
    yield { overrides: { background }, wireText: wireTextOf(background) }
  for (const moderation of capabilities.moderations)
    yield { overrides: { moderation }, wireText: wireTextOf(moderation) }
  for (const outputFormat of capabilities.outputFormats) {
    yield {
      overrides: { outputFormat },
      wireText: outputFormat === capabilities.outputFormats[0] ? '' : outputFormat.toLowerCase(),
    }
    if (capabilities.outputCompression && outputFormat !== 'PNG') {
      yield { overrides: { outputFormat, outputCompression: 73 }, wireText: '73' }
    }
  }
  for (const style of capabilities.styles) yield { overrides: { style }, wireText: style.toLowerCase() }
  if (capabilities.user) yield { overrides: { user: 'user-7' }, wireText: 'user-7' }
  if (capabilities.maxPartialImages > 0)
    yield { overrides: { partialImages: capabilities.maxPartialImages }, wireText: 'partial' }
  if (capabilities.maxN > 1)
    yield { overrides: { n: capabilities.maxN }, wireText: String(capabilities.maxN) }
}

// Sizes that every model with a size rule supports.
const SAMPLE_SIZES = ['1024x1024', '1536x1024']

// AUTO may be left out of the request.
function wireTextOf(setting: string): string {
  return setting === 'AUTO' ? '' : setting.toLowerCase()
}
