import { MAX_RENDITION_EDGE } from '../assets/address.ts'
import type { AssetRow } from '../db/tables/tables.ts'
import type { OutputFormat } from '../domain.ts'
import { costShare } from '../engine/usage/cost-share.ts'
import { badInput } from '../errors.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import * as enums from './enums.ts'
import { exposeAll } from './expose.ts'
import { ImageRef } from './image.ts'

const MAX_WIDTHS = 20
/** Renditions are shared by clients that use the same widths. */
const DEFAULT_WIDTHS = [160, 320, 640, 1024, 1600]

interface Rendition {
  url: string
  width: number
  height: number
}

const RenditionRef = builder.objectRef<Rendition>('ImageRendition').implement({
  description: 'An image in another size, made when it is first requested.',
  fields: (t) => ({
    ...exposeAll(t, 'URL', { url: 'URL of the file, signed and valid as long as `Image.url`.' }),
    ...exposeAll(t, 'Int', {
      width: 'Width of the file in pixels.',
      height: 'Height of the file in pixels.',
    }),
  }),
})

/** In order of width. Never enlarged, so widths above that of the image are one. */
function renditionsOf(
  asset: AssetRow,
  { widths, format }: { widths: readonly number[]; format: OutputFormat | null | undefined },
  { assetPath, publicUrl }: Pick<Context, 'assetPath' | 'publicUrl'>,
): Rendition[] {
  if (widths.length > MAX_WIDTHS)
    throw badInput('widths', `widths has ${widths.length} items; the maximum is ${MAX_WIDTHS}.`)
  const wrong = widths.find((width) => width < 1 || width > MAX_RENDITION_EDGE)
  if (wrong !== undefined)
    throw badInput('widths', `widths has ${wrong}; each is from 1 to ${MAX_RENDITION_EDGE} (pixels).`)
  const urls = new Map<number, string>()
  for (const width of widths.toSorted((a, b) => a - b)) {
    const shown = Math.min(width, asset.width)
    if (!urls.has(shown)) urls.set(shown, publicUrl + assetPath(asset, { width, ...(format && { format }) }))
  }
  return [...urls].map(([width, url]) => {
    const height = Math.max(1, Math.round((asset.height * width) / asset.width))
    return { url, width, height }
  })
}

const WIDTHS = `Widths in pixels, each 1 to ${MAX_RENDITION_EDGE}, at most ${MAX_WIDTHS}. One above that of the image stands for its own width.`
const FORMAT = 'File format to convert to. The stored format by default.'

builder.objectFields(ImageRef, (t) => ({
  renditions: t.field({
    type: [RenditionRef],
    description: 'The image in several widths, the smallest first, each width once. Errors: BAD_USER_INPUT.',
    complexity: ({ widths }) => ({ multiplier: Math.min(widths.length, MAX_WIDTHS) }),
    args: {
      widths: t.arg.intList({ required: true, description: WIDTHS }),
      format: t.arg({ type: enums.OutputFormat, description: FORMAT }),
    },
    resolve: (asset, { widths, format }, context) => renditionsOf(asset, { widths, format }, context),
  }),
  srcset: t.string({
    description:
      'Value of the attribute `srcset` of an HTML image, with a width descriptor for each URL. The URLs expire as `url` does. ' +
      'Errors: BAD_USER_INPUT.',
    args: {
      widths: t.arg.intList({ defaultValue: DEFAULT_WIDTHS, description: WIDTHS }),
      format: t.arg({ type: enums.OutputFormat, description: FORMAT }),
    },
    resolve: (asset, { widths, format }, context) =>
      renditionsOf(asset, { widths: widths ?? DEFAULT_WIDTHS, format }, context)
        .map(({ url, width }) => `${url} ${width}w`)
        .join(', '),
  }),
  costMicros: t.field({
    type: 'BigInt',
    nullable: true,
    description:
      "Share of its attempt's cost in micro-USD; the shares of all images of an attempt, also deleted ones, sum to its cost. Null " +
      'while the cost is unknown, and for other kinds than FINAL.',
    async resolve({ attemptId, kind, position, taskId }, _, { loaders }) {
      if (attemptId === null || kind !== 'FINAL') return null
      const attempts = await loaders.attempts.load(taskId)
      const attempt = attempts.find(({ id }) => id === attemptId)
      const places = await loaders.places.load(attemptId)
      const positions = places.map((place) => place.position)
      return attempt ? costShare(attempt, positions, position) : null
    },
  }),
}))
