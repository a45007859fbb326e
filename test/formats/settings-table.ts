// Settings that the models of the catalogue support or not, and what the openai package is given for them.
import type { ImageRequest } from '../../src/domain.ts'

const IMAGE = { url: 'https://example.com/a.png' }
const edit: Partial<ImageRequest> = { operation: 'EDIT', images: [IMAGE] }
const gif: Partial<ImageRequest> = { outputFormat: 'GIF' }
export const svg: Partial<ImageRequest> = { outputFormat: 'SVG' }

export const FAMILIES = ['2', '2.5', '2.6', '1', 'mini', 'dall-e-3', 'dall-e-2'] as const
type Family = (typeof FAMILIES)[number]

export function familyOf(name: string): Family {
  if (name.startsWith('dall-e')) return name === 'dall-e-3' ? 'dall-e-3' : 'dall-e-2'
  if (name.includes('-mini') || name === 'chatgpt-image-latest') return 'mini'
  const [, number = ''] = /^gpt-image-([\d.]+)/.exec(name) ?? []
  return number.startsWith('1') ? '1' : FAMILIES.find((family) => family === number.replace(/-.*/, ''))!
}

export interface SettingsRow {
  what: string
  requested: Partial<ImageRequest>
  /** That a warning names. */
  field: string
  /** a: accepted; w: adjusted with a warning; r: refused. In the order of FAMILIES. */
  outcomes: string
  /** Parameters of the openai package where accepted. */
  sent: object
  /** Where adjusted: {} by default. */
  adjusted?: object
  /** Where accepted by DALL·E, if it differs. */
  dalle?: object
}

export const TABLE: SettingsRow[] = [
  row('nothing', {}, '', 'a a a a a a a', {}),
  row('size 1536x864', { size: '1536x864' }, 'size', 'a a a r r r r', { size: '1536x864' }),
  row('size 256x256', { size: '256x256' }, 'size', 'r r r r r r a', { size: '256x256' }),
  row('quality MEDIUM', { quality: 'MEDIUM' }, 'quality', 'a a a a a w w', { quality: 'medium' }),
  row('quality MAX', { quality: 'MAX' }, 'quality', 'w a a w w w w', { quality: 'max' }),
  row('quality HD', { quality: 'HD' }, 'quality', 'w w w w w a w', { quality: 'hd' }),
  row('a transparent background', { background: 'TRANSPARENT' }, 'background', 'w a a a a w w', {
    background: 'transparent',
  }),
  row('moderation LOW', { moderation: 'LOW' }, 'moderation', 'a a a a a w w', { moderation: 'low' }),
  row('WEBP', { outputFormat: 'WEBP' }, 'outputFormat', 'a a a a a w w', { output_format: 'webp' }),
  row('compression', { outputFormat: 'JPEG', outputCompression: 50 }, 'outputCompression', 'a a a a a w w', {
    output_format: 'jpeg',
    output_compression: 50,
  }),
  row('fidelity', { ...edit, inputFidelity: 'HIGH' }, 'inputFidelity', 'w w w a w r w', {
    input_fidelity: 'high',
  }),
  row('style', { style: 'VIVID' }, 'style', 'w w w w w a w', { style: 'vivid' }),
  row('complexity', { complexity: 'HIGH' }, 'complexity', 'a a a w w w w', { complexity: 'high' }),
  row('previews', { partialImages: 2 }, 'partialImages', 'a a a a a w w', {
    stream: true,
    partial_images: 2,
  }),
  row('user', { user: 'ada' }, 'user', 'a a a a a a a', { user: 'ada' }),
  // Sent as `user` where the newer name is unknown.
  {
    ...row('identifier', { safetyIdentifier: 'ada', user: 'ada' }, 'safetyIdentifier', 'a a a a a a a', {
      safety_identifier: 'ada',
    }),
    dalle: { user: 'ada' },
  },
  row('an edit', edit, 'images', 'a a a a a r a', {}),
  row('two images', { ...edit, images: [IMAGE, IMAGE] }, 'images', 'a a a a a r r', {}),
  row('a mask', { ...edit, mask: IMAGE }, 'mask', 'a a a a a r a', {}),
  row('markup', { ...edit, markup: IMAGE }, 'markup', 'r a r r r r r', {}),
  row('an unknown parameter', { extra: { seed: 7 } }, 'extra.seed', 'w w w w w w w', { seed: 7 }),
  row('a GIF', gif, 'outputFormat', 'r r a r r r r', { output_format: 'gif' }),
  row(
    'a GIF of 16 frames',
    { ...gif, animation: { frames: 16, frameDurationMs: null } },
    'animation',
    'r r a r r r r',
    { output_format: 'gif', frame_count: 16 },
  ),
  row(
    'a GIF of 17 frames',
    { ...gif, animation: { frames: 17, frameDurationMs: null } },
    'animation.frames',
    'r r r r r r r',
    {},
  ),
  row(
    'a GIF of 1 frame',
    { ...gif, animation: { frames: 1, frameDurationMs: null } },
    'animation.frames',
    'r r r r r r r',
    {},
  ),
  row(
    'a frame of 204 ms',
    { ...gif, animation: { frames: null, frameDurationMs: 204 } },
    'animation.frameDurationMs',
    'r r w r r r r',
    {},
    { output_format: 'gif', frame_duration_ms: 200 },
  ),
  row(
    'previews of a GIF',
    { ...gif, partialImages: 1 },
    'partialImages',
    'r r w r r r r',
    {},
    { output_format: 'gif' },
  ),
  row('a mask for a GIF', { ...gif, ...edit, mask: IMAGE }, 'mask', 'r r r r r r r', {}),
  row('an SVG', svg, 'outputFormat', 'r r a r r r r', { output_format: 'svg' }),
  row('an author', { ...svg, svg: { model: 'author-1', effort: 'LOW' } }, 'svg', 'r r a r r r r', {
    output_format: 'svg',
    svg: { model: 'author-1', reasoning: { effort: 'low' } },
  }),
  row(
    'previews of an SVG',
    { ...svg, partialImages: 1 },
    'partialImages',
    'r r w r r r r',
    {},
    { output_format: 'svg' },
  ),
  row('a mask for an SVG', { ...svg, ...edit, mask: IMAGE }, 'mask', 'r r a r r r r', {
    output_format: 'svg',
  }),
]

function row(
  what: string,
  requested: Partial<ImageRequest>,
  field: string,
  outcomes: string,
  sent: object,
  adjusted?: object,
): SettingsRow {
  return { what, requested, field, outcomes, sent, ...(adjusted && { adjusted }) }
}
