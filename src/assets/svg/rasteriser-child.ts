// The child process of rasteriser.ts.
import process from 'node:process'
import sharp from 'sharp'
import type { RasterJob } from './rasteriser.ts'

/** In which an SVG has its own size. */
const DENSITY = 72

sharp.cache(false)
sharp.concurrency(1)

process.on('message', (job: RasterJob) => {
  void render(job).then(
    (png) => process.send?.(png),
    () => process.send?.(null),
  )
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

/** From memory, so that librsvg loads no other file. */
function render({ svg, width, height, ownWidth }: RasterJob): Promise<Buffer> {
  const density = Math.min(100_000, Math.max(1, (DENSITY * width) / ownWidth))
  return sharp(svg, { density, limitInputPixels: 16_000_000 })
    .resize({ width, height, fit: 'fill' })
    .png({ compressionLevel: 1 })
    .toBuffer()
}
