import { describe, expect, it } from 'vitest'
import type { Quality } from '../../src/domain.ts'
import { inputImageTokens, outputImageTokens, textTokens } from '../../src/providers/models/tokens.ts'

const QUALITIES: readonly Quality[] = ['LOW', 'MEDIUM', 'HIGH']

describe('an image of gpt-image-2', () => {
  it.each([
    [1024, 1024, [196, 1756, 7024]],
    [1024, 1536, [158, 1372, 5488]],
    [1536, 1024, [158, 1372, 5488]],
    [1536, 864, [120, 1078, 4312]],
    [2048, 1152, [157, 1413, 5650]],
    [2048, 2048, [397, 3568, 14_272]],
    [2560, 1440, [205, 1843, 7370]],
    [2880, 2880, [659, 5930, 23_719]],
    [3840, 2160, [371, 3336, 13_342]],
  ])('of %i x %i takes %j tokens', (width, height, tokens) => {
    expect(QUALITIES.map((quality) => outputImageTokens('gpt-image-2', quality, width, height))).toEqual(
      tokens,
    )
  })
})

describe.each(['gpt-image-1', 'gpt-image-1.5', 'gpt-image-1-mini'])('an image of %s', (model) => {
  it.each([
    [1024, 1024, [272, 1056, 4160]],
    [1024, 1536, [408, 1584, 6240]],
    [1536, 1024, [400, 1568, 6208]],
  ])('of %i x %i takes %j tokens', (width, height, tokens) => {
    expect(QUALITIES.map((quality) => outputImageTokens(model, quality, width, height))).toEqual(tokens)
  })
})

it('counts a dated snapshot like its model', () => {
  expect(outputImageTokens('gpt-image-2-2026-04-21', 'LOW', 1024, 1024)).toBe(196)
})

it.each<[string, Quality, number]>([
  ['gpt-image-2.5-flare', 'LOW', 1024],
  ['dall-e-3', 'HD', 1024],
  ['gpt-image-2', 'AUTO', 1024],
  ['gpt-image-1', 'LOW', 512],
])('has no count for %s at %s in %i px, which is not published', (model, quality, edge) => {
  expect(outputImageTokens(model, quality, edge, edge)).toBeNull()
})

it.each([
  [1024, 1024, 1024, 'one token per patch'],
  [512, 512, 1024, 'a small image is scaled up'],
  [3840, 2160, 1536, 'never above the maximum'],
  [1024, 100, 352, 'a narrow image counts as 3:1'],
])('counts an input image of %i x %i px as %i tokens: %s', (width, height, tokens) => {
  expect(inputImageTokens(width, height)).toBe(tokens)
  expect(inputImageTokens(height, width)).toBe(tokens)
})

it('estimates longer prompts higher, and Chinese by characters', () => {
  expect(textTokens('a fox')).toBeLessThan(textTokens('a fox in the snow at dawn'))
  expect(textTokens('雪中的狐狸')).toBe(7 + 5)
  expect(textTokens('')).toBe(7)
})
