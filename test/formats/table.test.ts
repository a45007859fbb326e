// Every model of the catalogue with every setting: accepted, adjusted with a warning, or refused.
import { describe, expect, it } from 'vitest'
import type { ImageRequest } from '../../src/domain.ts'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { offersFrom } from '../../src/providers/models/offers.ts'
import { plainRequest } from '../support/rows.ts'
import { familyOf, FAMILIES, svg, TABLE } from './settings-table.ts'

const TODAY = '2026-01-01'
const offers = offersFrom(CATALOGUE.map(({ name }) => name))

describe.each(offers)('$model', (offer) => {
  const nth = FAMILIES.indexOf(familyOf(offer.model))
  it.each(TABLE)('is asked for $what', ({ requested, field, outcomes }) => {
    const request: ImageRequest = { ...plainRequest, ...requested, model: offer.model }
    const { warnings, refusals } = matchCapabilities(request, offer, TODAY)
    const expected = outcomes.split(' ')[nth]
    expect(refusals.length > 0).toBe(expected === 'r')
    const isWarned = warnings.some((warning) => warning.field === field)
    expect(refusals.length === 0 && isWarned).toBe(expected === 'w')
    const strict = matchCapabilities({ ...request, unsupported: 'ERROR' }, offer, TODAY)
    expect(strict.refusals.length > 0).toBe(expected !== 'a')
  })

  it('is split into calls of one SVG each', () => {
    const request: ImageRequest = { ...plainRequest, ...svg, n: 3, model: offer.model }
    const { maxN, refusals } = matchCapabilities(request, offer, TODAY)
    expect(refusals.length > 0 || maxN === 1).toBe(true)
  })
})

it('the table has a column for every model', () => {
  for (const { model } of offers) expect(FAMILIES).toContain(familyOf(model))
  for (const { outcomes } of TABLE) expect(outcomes).toMatch(/^(?:[awr] ){6}[awr]$/)
})
