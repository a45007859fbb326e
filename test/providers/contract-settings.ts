import type { Capabilities, ProviderRequest, ProviderRequestImage } from '../../src/providers/provider.ts'

export interface Setting {
  /** One setting besides the defaults. */
  wishes: Partial<ProviderRequest>
  /** How it would stand in the request if it is a word or number there. */
  word: string
}

/** Every setting of the capabilities of a model, one at a time. */
export function* eachSetting(
  can: Capabilities,
  inputOf: (bytes: Buffer) => ProviderRequestImage,
): Generator<Setting> {
  const images = (count: number) =>
    Array.from({ length: count }, (_, at) => inputOf(Buffer.from(`image ${at}`)))
  if (can.operations.includes('GENERATE')) yield* ofGenerations(can)
  if (!can.operations.includes('EDIT')) return
  for (const count of [1, can.maxInputImages]) yield { wishes: { images: images(count) }, word: 'image' }
  if (can.mask) yield { wishes: { images: images(1), mask: inputOf(Buffer.from('mask')) }, word: 'mask' }
  for (const inputFidelity of can.inputFidelities) {
    yield { wishes: { images: images(1), inputFidelity }, word: inputFidelity.toLowerCase() }
  }
}

function* ofGenerations(can: Capabilities): Generator<Setting> {
  for (const size of can.sizes.kind === 'list' ? can.sizes.values : SAMPLES)
    yield { wishes: { size }, word: size }
  for (const quality of can.qualities) yield { wishes: { quality }, word: wordOf(quality) }
  for (const background of can.backgrounds) yield { wishes: { background }, word: wordOf(background) }
  for (const moderation of can.moderations) yield { wishes: { moderation }, word: wordOf(moderation) }
  for (const outputFormat of can.outputFormats) {
    yield {
      wishes: { outputFormat },
      word: outputFormat === can.outputFormats[0] ? '' : outputFormat.toLowerCase(),
    }
    if (can.outputCompression && outputFormat !== 'PNG') {
      yield { wishes: { outputFormat, outputCompression: 73 }, word: '73' }
    }
  }
  for (const style of can.styles) yield { wishes: { style }, word: style.toLowerCase() }
  if (can.user) yield { wishes: { user: 'user-7' }, word: 'user-7' }
  if (can.maxPartialImages > 0) yield { wishes: { partialImages: can.maxPartialImages }, word: 'partial' }
  if (can.maxN > 1) yield { wishes: { n: can.maxN }, word: String(can.maxN) }
}

// Sizes that every model with a rule takes.
const SAMPLES = ['1024x1024', '1536x1024']

// AUTO may be left out of the request.
function wordOf(setting: string): string {
  return setting === 'AUTO' ? '' : setting.toLowerCase()
}
