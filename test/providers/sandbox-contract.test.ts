// The sandbox has no upstream. Of the contract it keeps what is about its word: whatever it claims to take comes out well.
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { OrderImage } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox.ts'
import { develop, inputOf } from './call.ts'
import { eachSetting } from './contract-settings.ts'

const background = { r: 200, g: 120, b: 40, alpha: 0.5 }
const png = await sharp({ create: { width: 64, height: 64, channels: 4, background } })
  .png()
  .toBuffer()

function picture(): OrderImage {
  return { ...inputOf(png), width: 64, height: 64, hasAlpha: true }
}

test.each(['gpt-image-2', 'dall-e-3'])('%s takes every setting of every capability', async (model) => {
  const provider = sandbox.create('sandbox', sandbox.options.parse({ durationMs: 0 }))
  const offer = provider.offers.find((one) => one.model === model)
  if (!offer) throw new Error(`The sandbox does not offer ${model}`)
  for (const { wishes } of eachSetting(offer.capabilities, picture)) {
    const { pictures, resolved, heard } = await develop(provider, { model, ...wishes })
    const came = await Promise.all(
      pictures.map(async (bytes) => {
        const { format, width, height } = await sharp(bytes).metadata()
        return { format, size: `${width}x${height}` }
      }),
    )
    const { n = 1, outputFormat = 'PNG', size = resolved.size, partialImages = 0 } = wishes
    const asked = Array.from({ length: n }, () => ({ format: outputFormat.toLowerCase(), size }))
    expect({ wishes, came, previews: heard.partials.length }).toEqual({
      wishes,
      came: asked,
      previews: partialImages,
    })
  }
})
