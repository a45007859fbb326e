import type { AssetRow } from '../db/tables/tables.ts'
import type { AssetKind } from '../domain.ts'
import { builder, BYTES_COMPLEXITY, describedEnum, withoutNulls } from './builder.ts'
import type { Context } from './context.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { NodeRef } from './node.ts'

const readBase64 = async ({ sha256 }: AssetRow, { store }: Context) =>
  (await store.read(sha256)).toString('base64')

export const ImageKindEnum = describedEnum<AssetKind>('ImageKind', {
  description: 'What an image is to its task.',
  FINAL: 'A result, as delivered by the provider.',
  PARTIAL: 'A partial image, sent by the provider during generation.',
  INPUT: 'An image to edit, or a reference.',
  MASK: 'The mask of an edit: its transparent parts are painted again.',
  MARKUP: 'Hints drawn over the first image of an edit.',
})

export const ImageRef = builder.objectRef<AssetRow>('Image').implement({
  description: 'A stored image: a result, a partial image or an input. Its bytes never change.',
  interfaces: [NodeRef],
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description:
        'URL of the file. With arguments, URL of a rendition that fits into the given box, keeps the proportions and is ' +
        'never enlarged, unless it is an SVG. Once API keys exist, the URL is signed: it needs no key and expires after 15 to 20 minutes; request ' +
        'a new one then. With the query parameter `download` added, browsers save the file instead of showing it.',
      args: {
        width: t.arg.int({ description: 'Maximum width in pixels, 1 to 4096. Unlimited by default.' }),
        height: t.arg.int({ description: 'Maximum height in pixels, 1 to 4096. Unlimited by default.' }),
        format: t.arg({
          type: enums.OutputFormat,
          description:
            'PNG, JPEG or WEBP. By default the stored format, and PNG for a rendition of a GIF or SVG.',
        }),
        animated: t.arg.boolean({
          description:
            'All frames of an animation, as WEBP. By default, a rendition is the first frame. No effect on a still image.',
        }),
      },
      resolve: (asset, args, { publicUrl, assetPath }) => publicUrl + assetPath(asset, withoutNulls(args)),
    }),
    b64Json: t.string({
      description:
        'The file in base64. Read only when selected, and a third larger than the download from `url`.',
      complexity: BYTES_COMPLEXITY,
      resolve: (asset, _, context) => readBase64(asset, context),
    }),
    dataUrl: t.string({
      description: 'The file as a data URL, usable in an <img> element. Read only when selected.',
      complexity: BYTES_COMPLEXITY,
      resolve: async (asset, _, context) =>
        `data:${asset.mimeType};base64,${await readBase64(asset, context)}`,
    }),
    ...exposeAll(t, 'Int', {
      width: 'Width in pixels, read from the file; for an SVG, of its viewBox.',
      height: 'Height in pixels, read from the file; for an SVG, of its viewBox.',
      byteSize: 'Size in bytes of the file that `url` without arguments serves.',
      frames: 'Number of frames; 1 for a still image.',
    }),
    ...exposeAll(t, 'String', {
      mimeType: 'image/png, image/jpeg, image/webp, image/gif or image/svg+xml, read from the file.',
      sha256: 'SHA-256 hash of the file in lower-case hex. Equal files have equal hashes.',
    }),
    kind: t.field({
      type: ImageKindEnum,
      description: 'What it is to the task that it belongs to.',
      resolve: ({ kind }) => kind,
    }),
    ...exposeAll(t, 'DateTime', { createdAt: 'Time at which it was stored.' }),
    ...exposeNullable(t, 'Int', {
      durationMs: 'Duration of all frames in milliseconds. Null for a still image.',
      plays: 'Number of times that the animation plays; 0 means for ever. Null for a still image.',
    }),
    ...exposeNullable(t, 'String', {
      thumbhash:
        'Blurred placeholder of about 25 bytes, in base64 (evanw.github.io/thumbhash), of the first frame. Null for input images, and ' +
        'for an SVG that cannot be rendered.',
      revisedPrompt: 'The prompt as rewritten by the provider. Null if not reported.',
    }),
  }),
})

export const PartialImageRef = builder.objectRef<AssetRow>('PartialImage').implement({
  description: 'An unfinished image that the provider sent during generation.',
  fields: (t) => ({
    index: t.exposeInt('position', {
      description: 'Position from 0; later ones show more detail. A provider may send fewer than requested.',
    }),
    image: t.field({
      type: ImageRef,
      description: 'The stored file, for download from its `url`.',
      resolve: (asset) => asset,
    }),
    at: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time at which it was stored, right after it was received.',
    }),
  }),
})
