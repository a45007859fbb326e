// A picture on its way, as a photograph in the developer tray: first blurred, pale and blotchy, then clearer.
import { addGrain, fromPixels, toPixels, type Pixels } from './pixels.ts'
import { createRandom } from './random.ts'

/** The picture as far as it has come: `progress` is 0 (blank paper) to 1 (finished). */
export async function underdevelop(pixels: Pixels, progress: number, seed: string): Promise<Pixels> {
  const missing = 1 - progress
  const { width, height } = pixels
  const scale = 0.05 + 0.5 * progress ** 2
  const contrast = 0.2 + 0.75 * progress
  const lift = 236 * (1 - contrast)
  // What is blurred needs no pixels: all but the grain happens on a small copy, many times faster.
  const soft = await toPixels(
    fromPixels(pixels)
      .resize({ width: shrink(width, scale), height: shrink(height, scale), fit: 'fill' })
      .blur(0.4 + 2.4 * missing),
  )
  const pale = await toPixels(
    fromPixels(soft)
      .modulate({ saturation: 0.25 + 0.75 * progress })
      .linear([contrast, contrast, contrast, 1], [lift, lift, lift * 0.96, 0]),
  )
  const isWhole = !hasHoles(pixels)
  const paper = isWhole ? await stain(pale, missing, seed) : pale
  const large = await toPixels(fromPixels(paper).resize({ width, height, fit: 'fill', kernel: 'cubic' }))
  // Grain would also fill what shall stay transparent; a cut-out develops without it.
  return isWhole ? addGrain(large, `${seed}/${progress}`, 22 + 60 * missing) : large
}

function shrink(edge: number, scale: number): number {
  return Math.max(16, Math.round(edge * scale))
}

function hasHoles({ data }: Pixels): boolean {
  // The corners tell: cut-outs have nothing there.
  return data[3] !== 255 || data[data.length - 1] !== 255
}

// Where the developer has not reached yet, the paper still shows.
async function stain(pixels: Pixels, missing: number, seed: string): Promise<Pixels> {
  const random = createRandom(`${seed}/stains`)
  const edge = 9
  const paper = Buffer.alloc(edge * edge * 4, 244)
  for (let at = 3; at < paper.length; at += 4) paper[at] = Math.round(150 * missing * random.next())
  const blots = await toPixels(
    fromPixels({ data: paper, width: edge, height: edge }).resize({
      width: pixels.width,
      height: pixels.height,
      fit: 'fill',
      kernel: 'cubic',
    }),
  )
  const raw = { width: blots.width, height: blots.height, channels: 4 } as const
  return toPixels(fromPixels(pixels).composite([{ input: blots.data, raw, blend: 'over' }]))
}
