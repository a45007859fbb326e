import { openChild } from './child.ts'
import type { PainterVerbs } from './children/painter.ts'
import { alternate, compare } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 7
/** Every prompt twice. */
const IMAGES = 12

/** What a picture of the sandbox costs, which tests, demos and load trials pay. */
export async function painter(): Promise<Section> {
  await using child = openChild<PainterVerbs>('painter')
  const compared = (previews: number) =>
    alternate(ROUNDS, {
      ours: async () => ({ cpu: await child.ask('paint', { images: IMAGES, previews }) }),
      reference: async () => ({ cpu: await child.ask('encode', IMAGES) }),
    })
  const alone = await compared(0)
  const withPreviews = await compared(3)

  const against = 'sharp: noise of that size as PNG'
  const unit = 'ms'
  return {
    title: 'painter · CPU per 1024x1024 PNG of the sandbox, from prompt to file',
    notes: [
      `${IMAGES} images of six prompts in each round, one at a time; CPU of all threads of the process.`,
    ],
    rows: [
      { what: 'without previews', unit, against, figures: compare(alone, 'cpu') },
      { what: 'with three previews', unit, against, figures: compare(withPreviews, 'cpu') },
    ],
  }
}
