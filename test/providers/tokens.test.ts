import { describe, expect, test } from 'vitest'
import type { Quality } from '../../src/domain.ts'
import { inputImageTokens, outputImageTokens, textTokens } from '../../src/providers/models/tokens.ts'

const QUALITIES: readonly Quality[] = ['LOW', 'MEDIUM', 'HIGH']

describe('gpt-image-2 paints', () => {
  test.each([
    [1024, 1024, [196, 1756, 7024]],
    [1024, 1536, [158, 1372, 5488]],
    [1536, 1024, [158, 1372, 5488]],
    [1536, 864, [120, 1078, 4312]],
    [2048, 1152, [157, 1413, 5650]],
    [2048, 2048, [397, 3568, 14_272]],
    [2560, 1440, [205, 1843, 7370]],
    [2880, 2880, [659, 5930, 23_719]],
    [3840, 2160, [371, 3336, 13_342]],
  ])('%i x %i for %j tokens', (width, height, tokens) => {
    expect(QUALITIES.map((quality) => outputImageTokens('gpt-image-2', quality, width, height))).toEqual(
      tokens,
    )
  })
})

describe.each(['gpt-image-1', 'gpt-image-1.5', 'gpt-image-1-mini'])('%s paints', (model) => {
  test.each([
    [1024, 1024, [272, 1056, 4160]],
    [1024, 1536, [408, 1584, 6240]],
    [1536, 1024, [400, 1568, 6208]],
  ])('%i x %i for %j tokens', (width, height, tokens) => {
    expect(QUALITIES.map((quality) => outputImageTokens(model, quality, width, height))).toEqual(tokens)
  })
})

test('counts a dated snapshot like its model', () => {
  expect(outputImageTokens('gpt-image-2-2026-04-21', 'LOW', 1024, 1024)).toBe(196)
})

test.each<[string, Quality, number]>([
  ['gpt-image-2.5-flare', 'LOW', 1024],
  ['dall-e-3', 'HD', 1024],
  ['gpt-image-2', 'AUTO', 1024],
  ['gpt-image-1', 'LOW', 512],
])('says nothing on %s at %s in %i px, which nobody published', (model, quality, edge) => {
  expect(outputImageTokens(model, quality, edge, edge)).toBeNull()
})

test.each([
  [1024, 1024, 1024, 'one token a patch'],
  [512, 512, 1024, 'a small picture as if it were large'],
  [3840, 2160, 1536, 'never more than the cap'],
  [1024, 100, 352, 'a ribbon as if it were 3:1'],
])('reads %i x %i px for %i tokens: %s', (width, height, tokens) => {
  expect(inputImageTokens(width, height)).toBe(tokens)
  expect(inputImageTokens(height, width)).toBe(tokens)
})

test('estimates longer prompts higher, and Chinese by the character', () => {
  expect(textTokens('a fox')).toBeLessThan(textTokens('a fox in the snow at dawn'))
  expect(textTokens('雪中的狐狸')).toBe(7 + 5)
  expect(textTokens('')).toBe(7)
})
