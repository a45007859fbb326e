import { openChild } from './child.ts'
import type { PainterVerbs } from './children/painter.ts'
import { alternate, compare } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 7
/** Every prompt twice. */
const IMAGES = 12

/** The cost of an image of the sandbox, as tests and demos use it. */
export async function painter(): Promise<Section> {
  await using child = openChild<PainterVerbs>('painter')
  const compared = (partialImages: number) =>
    alternate(ROUNDS, {
      ours: async () => ({ cpu: await child.call('paint', { images: IMAGES, partialImages }) }),
      reference: async () => ({ cpu: await child.call('encode', IMAGES) }),
    })
  const alone = await compared(0)
  const withPartialImages = await compared(3)

  const against = 'sharp: noise of that size as PNG'
  const unit = 'ms'
  return {
    title: 'painter · CPU per 1024x1024 PNG of the sandbox, from prompt to file',
    notes: [
      `${IMAGES} images of six prompts in each round, one at a time; CPU of all threads of the process.`,
    ],
    rows: [
      { what: 'without partial images', unit, against, figures: compare(alone, 'cpu') },
      { what: 'with three partial images', unit, against, figures: compare(withPartialImages, 'cpu') },
    ],
  }
}
