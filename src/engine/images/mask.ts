import type { ImageFacts } from '../../domain.ts'

/** What is known of an input image once its bytes are at hand. */
export type InputImageFacts = Pick<ImageFacts, 'width' | 'height' | 'hasAlpha'>

/** Why a mask cannot be used on an image; undefined when it can, or when the image is not at hand yet. */
export function maskProblem(mask: InputImageFacts, image: InputImageFacts | undefined): string | undefined {
  if (!mask.hasAlpha)
    return (
      'The mask has no alpha channel, so it marks nothing. Send a PNG or WebP of the size of the first image that is ' +
      'transparent where it is to be redrawn.'
    )
  if (!image || (mask.width === image.width && mask.height === image.height)) return undefined
  return (
    `The mask is ${mask.width}x${mask.height} and the first image ${image.width}x${image.height}; both must be the ` +
    'same size.'
  )
}
