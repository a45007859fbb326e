import { CATALOGUE } from '../../providers/models/catalogue.ts'
import type { ListedModel, Offer } from '../../providers/provider.ts'
import type { Paint } from '../screen.ts'

/** NEWS: nothing is wrong, but a model is not configured or not known. */
export interface ModelFinding {
  kind: 'RIGHT' | 'WRONG' | 'NEWS'
  text: string
}

/** Listed models count if their name is in the catalogue or looks like one of images. */
const IMAGE_MODEL = /image|dall-e/i

/** Pure. Configured models first. */
export function compareModels(offers: readonly Offer[], listed: readonly ListedModel[]): ModelFinding[] {
  const byName = new Map(listed.map((model) => [model.upstreamModel, model]))
  const configured = new Set(offers.map(({ upstreamModel }) => upstreamModel))
  const known = new Set(CATALOGUE.map(({ name }) => name))
  const others = listed.filter(({ upstreamModel }) => !configured.has(upstreamModel))
  return [
    ...offers.map((offer) => compareOffer(offer, byName.get(offer.upstreamModel))),
    ...others
      .filter(({ upstreamModel }) => known.has(upstreamModel) || IMAGE_MODEL.test(upstreamModel))
      .map(({ upstreamModel }): ModelFinding => ({
        kind: 'NEWS',
        text: `${upstreamModel} is listed, but not configured${known.has(upstreamModel) ? '' : ' and not in the catalogue'}`,
      })),
  ]
}

function compareOffer({ upstreamModel, retiresOn }: Offer, listed: ListedModel | undefined): ModelFinding {
  if (!listed) return { kind: 'WRONG', text: `${upstreamModel} is configured, but not listed` }
  // A list without dates says nothing about one.
  if (listed.retiresOn === null || listed.retiresOn === retiresOn)
    return { kind: 'RIGHT', text: `${upstreamModel}${retiresOn === null ? '' : ` ends on ${retiresOn}`}` }
  const text = `${upstreamModel} ends on ${listed.retiresOn} by the list, and ${retiresOn ?? 'not'} by the configuration`
  return { kind: 'WRONG', text }
}

const MARKS = { RIGHT: ['green', '✓'], WRONG: ['red', '✗'], NEWS: ['dim', '·'] } as const

export function findingText({ kind, text }: ModelFinding, paint: Paint): string {
  const [format, mark] = MARKS[kind]
  return `${paint(format, mark)} ${text}`
}
