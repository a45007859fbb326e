import type { AssetRow } from '../db/tables/tables.ts'
import { builder } from './builder.ts'
import { BYTES_COMPLEXITY } from './complexity.ts'
import { OutputFormatEnum } from './enums.ts'
import { NodeRef } from './node.ts'

export const ImageRef = builder.objectRef<AssetRow>('Image').implement({
  description: 'One stored image: a result, a preview or an input. Its bytes never change.',
  interfaces: [NodeRef],
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description:
        'Where its bytes are. With arguments, a rendition: inside the box given, proportions kept, never enlarged. ' +
        'Its bytes never change. Once there are API keys, the address is signed, good for 15 to 20 minutes, and works for whoever has it: ask for it anew when needed.',
      args: {
        width: t.arg.int({ description: 'At most so many pixels across, 1 to 4096.' }),
        height: t.arg.int({ description: 'At most so many pixels down, 1 to 4096.' }),
        format: t.arg({
          type: OutputFormatEnum,
          description: 'Encoded anew as this; as stored when left out.',
        }),
      },
      resolve: (asset, { width, height, format }, { publicUrl, assetPath }) =>
        publicUrl +
        assetPath(asset, {
          ...(width == null ? {} : { width }),
          ...(height == null ? {} : { height }),
          ...(format == null ? {} : { format }),
        }),
    }),
    b64Json: t.string({
      description:
        'The bytes in base64. Read only when selected, and a third larger than at `url`, which is the better way.',
      complexity: BYTES_COMPLEXITY,
      resolve: async ({ sha256 }, _, { store }) => (await store.read(sha256)).toString('base64'),
    }),
    dataUrl: t.string({
      description: 'The bytes as a data URL, ready for an <img>. Read only when selected.',
      complexity: BYTES_COMPLEXITY,
      resolve: async ({ sha256, mimeType }, _, { store }) =>
        `data:${mimeType};base64,${(await store.read(sha256)).toString('base64')}`,
    }),
    width: t.exposeInt('width', { description: 'In pixels, read from the file.' }),
    height: t.exposeInt('height', { description: 'In pixels, read from the file.' }),
    mimeType: t.exposeString('mimeType', {
      description: 'image/png, image/jpeg or image/webp, read from the file.',
    }),
    byteSize: t.exposeInt('byteSize', {
      description: 'The size of the file in bytes, as `url` without arguments serves it.',
    }),
    sha256: t.exposeString('sha256', {
      description: 'Of the file, in lower-case hex: equal images have equal hashes.',
    }),
    thumbhash: t.exposeString('thumbhash', {
      nullable: true,
      description:
        'A blurred placeholder of about 25 bytes in base64 (evanw.github.io/thumbhash); null for inputs.',
    }),
    revisedPrompt: t.exposeString('revisedPrompt', {
      nullable: true,
      description: 'The prompt as the upstream rewrote it; null when it did not say.',
    }),
  }),
})

export const PartialImageRef = builder.objectRef<AssetRow>('PartialImage').implement({
  description: 'A preview that the upstream sent while it was still painting.',
  fields: (t) => ({
    index: t.exposeInt('position', {
      description: 'From 0; later ones are further developed. Fewer may come than were asked for.',
    }),
    image: t.field({
      type: ImageRef,
      description: 'The preview as a stored image, to be fetched from its `url`.',
      resolve: (asset) => asset,
    }),
    at: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was stored here, moments after the upstream had sent it.',
    }),
  }),
})
