// Paints images of the sandbox, and encodes noise with sharp. Returns the CPU of this process per image, in milliseconds.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { paint } from '../../src/providers/sandbox/painter/paint.ts'
import { serve, cpuMicros } from '../child.ts'

const EDGE = 1024
const PROMPTS = [
  'a red fox in the snow',
  'a lighthouse at dusk',
  'neon city in the rain',
  'abstract',
  'a field of poppies',
  'a cabin in the woods, misty morning',
]

const folder = mkdtempSync(join(tmpdir(), 'darkroom-bench-'))
const file = join(folder, 'image.png')
const noise = randomBytes(EDGE * EDGE * 3)
let painted = 0

const verbs = {
  /** Paints images with different seeds, and partial images of each. */
  paint: ({ images, partialImages }: { images: number; partialImages: number }) =>
    perImage(images, async (nth) => {
      const picture = await paint({
        prompt: PROMPTS[nth % PROMPTS.length] ?? '',
        seed: String(painted++),
        width: EDGE,
        height: EDGE,
        background: 'OPAQUE',
        format: 'PNG',
        compression: null,
        images: [],
        mask: null,
        animation: { frames: 1, frameDurationMs: 100 },
      })
      for (let index = 1; index <= partialImages; index++) {
        await (await picture.preview(index / (partialImages + 1))).write(file)
      }
      await picture.write(file)
    }),

  encode: (images: number) =>
    perImage(images, async () => {
      await sharp(noise, { raw: { width: EDGE, height: EDGE, channels: 3 } })
        .png()
        .toFile(file)
    }),
}

export type PainterVerbs = typeof verbs

serve(verbs, async () => rmSync(folder, { recursive: true }))

async function perImage(images: number, make: (nth: number) => Promise<void>): Promise<number> {
  const before = cpuMicros()
  for (let nth = 0; nth < images; nth++) await make(nth)
  return (cpuMicros() - before) / images / 1000
}
