import { describe, expect, it } from 'vitest'
import type { Usage } from '../../src/domain.ts'
import { costMicros } from '../../src/engine/usage/cost.ts'
import type { ImagePrice, TokenPrice } from '../../src/providers/provider.ts'
import { REPORTED } from '../support/scripted.ts'

/** In micro-USD per million tokens: 5, 8 and 30 USD. */
const PRICE: TokenPrice = {
  inputTextMicros: 5_000_000,
  inputImageMicros: 8_000_000,
  outputImageMicros: 30_000_000,
  outputTextMicros: null,
  version: 'test',
}

const ONE = { images: 1, size: '1024x1024', quality: 'LOW' as const }

describe('the cost of an attempt', () => {
  it.each<[what: string, usage: Partial<Usage>, price: Partial<TokenPrice> | null, micros: number | null]>([
    [
      'adds every class at its price',
      { inputTextTokens: 10, inputImageTokens: 100, outputImageTokens: 1000 },
      {},
      50 + 800 + 30_000,
    ],
    ['is zero when nothing was used', { inputTextTokens: 0, outputImageTokens: 0 }, {}, 0],
    ['rounds half a micro up', { inputTextTokens: 1, outputImageTokens: 0 }, { inputTextMicros: 500_000 }, 1],
    [
      'rounds less than half a micro down',
      { inputTextTokens: 1, outputImageTokens: 0 },
      { inputTextMicros: 499_999 },
      0,
    ],
    [
      'rounds once, not for each class',
      { inputTextTokens: 1, inputImageTokens: 1, outputImageTokens: 0 },
      { inputTextMicros: 500_000, inputImageMicros: 500_000 },
      1,
    ],
    ['is unknown without a price', {}, null, null],
    ['is unknown without usage', { source: 'UNKNOWN' }, {}, null],
    ['is unknown when a class was not reported', { inputImageTokens: null }, {}, null],
    ['is unknown when a class that was used has no price', { outputTextTokens: 1 }, {}, null],
    ['counts estimates as well', { source: 'ESTIMATED', inputTextTokens: 0, outputImageTokens: 2 }, {}, 60],
    [
      'is exact where floating point would not be',
      { inputTextTokens: 0, outputImageTokens: 9_007_199_254_740_991 },
      { outputImageMicros: 1_000_000 },
      9_007_199_254_740_991,
    ],
  ])('%s', (_, usage, price, micros) => {
    expect(costMicros({ ...REPORTED, ...usage }, ONE, price && { ...PRICE, ...price })).toBe(micros)
  })

  const byImage: ImagePrice = {
    imageMicros: 40_000,
    bySettings: [
      { size: '1024x1792', quality: 'HD', imageMicros: 120_000 },
      { quality: 'HD', imageMicros: 80_000 },
    ],
    version: 'test',
  }

  it.each([
    ['counts images, regardless of the usage', { images: 3 }, 120_000],
    ['is unknown when a requested image is missing', { images: 2, ordered: 3 }, null],
    ['counts every received image, even more than requested', { images: 3, ordered: 2 }, 120_000],
    ['is zero without an image', { images: 0 }, 0],
    ['uses the first entry whose settings all match', { size: '1024x1792', quality: 'HD' as const }, 120_000],
    ['uses an entry without a size for every size', { quality: 'HD' as const }, 80_000],
    ['uses the default price when no entry matches', { size: '1024x1792' }, 40_000],
  ])('at a price per image %s', (_, delivered, micros) => {
    expect(costMicros({ ...REPORTED, source: 'UNKNOWN' }, { ...ONE, ...delivered }, byImage)).toBe(micros)
  })
})
