// Shows a mask over the picture: light and dark stripes, which are seen on any color.
import type { Box, Raster } from './raster.ts'

const LIGHT = [255, 255, 255, 205] as const
const DARK = [24, 20, 22, 165] as const

/** `stripePx`: width of a stripe in pixels of the image. */
export function paintOverlay(
  context: CanvasRenderingContext2D,
  { width, height, pixels }: Raster,
  { left, top, right, bottom }: Box = { left: 0, top: 0, right: width, bottom: height },
  stripePx = 6,
): void {
  if (right <= left || bottom <= top) return
  const image = context.createImageData(right - left, bottom - top)
  const { data } = image
  let offset = 0
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++, offset += 4) {
      if (pixels[y * width + x] === 0) continue
      const color = Math.floor((x + y) / stripePx) % 2 === 0 ? LIGHT : DARK
      data[offset] = color[0]
      data[offset + 1] = color[1]
      data[offset + 2] = color[2]
      data[offset + 3] = color[3]
    }
  }
  context.putImageData(image, left, top)
}
