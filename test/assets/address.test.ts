import { describe, expect, it } from 'vitest'
import { assetPath, readAssetPath, readRendition } from '../../src/assets/address.ts'
import { newId } from '../../src/ids.ts'

const ID = newId('img', 1_795_000_000_000)

it('a path has the id and the extension of the asset', () => {
  expect(assetPath(ID, 'image/png')).toBe(`/assets/${ID}.png`)
  expect(assetPath(ID, 'image/jpeg')).toBe(`/assets/${ID}.jpg`)
  expect(assetPath(ID, 'image/webp')).toBe(`/assets/${ID}.webp`)
})

it('a path of a rendition has its size, format and extension', () => {
  expect(assetPath(ID, 'image/png', { width: 512 })).toBe(`/assets/${ID}.png?width=512`)
  expect(assetPath(ID, 'image/png', { width: 512, height: 256, format: 'WEBP' })).toBe(
    `/assets/${ID}.webp?width=512&height=256&format=webp`,
  )
})

it.for([
  {},
  { width: 1 },
  { height: 4096 },
  { format: 'JPEG' },
  { width: 7, height: 8, format: 'PNG' },
] as const)('the path of %j is parsed back', (spec) => {
  const url = new URL(assetPath(ID, 'image/webp', spec), 'http://x')
  expect(readAssetPath(url.pathname)).toBe(ID)
  expect(readRendition(url.searchParams) ?? {}).toEqual(spec)
})

it('an invalid size is refused', () => {
  expect(() => assetPath(ID, 'image/png', { width: 0 })).toThrow(
    'width is 0; it must be a whole number from 1 to 4096',
  )
  expect(() => assetPath(ID, 'image/png', { height: 5000 })).toThrow('height is 5000')
})

describe('parsing a path', () => {
  it.for([`/assets/${ID}`, `/assets/${ID}.png`, `/assets/${ID}.anyth`])('accepts %s', (path) => {
    expect(readAssetPath(path)).toBe(ID)
  })

  it.for([
    '/assets/',
    '/assets/img_',
    `/assets/task_${ID.slice(4)}`,
    `/assets/${ID}/x`,
    `/assets/${ID}.png/`,
    `/assets/${ID}.png.png`,
    `/assets/..%2f${ID}`,
    `/assets/${'a'.repeat(64)}`,
    `/assets/img_${'A'.repeat(65)}`,
    `/x/assets/${ID}`,
  ])('rejects %s', (path) => {
    expect(readAssetPath(path)).toBeUndefined()
  })
})

describe('parsing a query', () => {
  it.for([
    ['format=jpg', { format: 'JPEG' }],
    ['format=WebP&width=12', { format: 'WEBP', width: 12 }],
    ['v=3', undefined],
    ['', undefined],
  ] as const)('accepts %s', ([query, spec]) => {
    expect(readRendition(new URLSearchParams(query))).toEqual(spec)
  })

  it.for([
    ['width=', 'width'],
    ['width=abc', 'width'],
    ['width=12px', 'width'],
    ['width=-5', 'width'],
    ['width=1e9', 'width'],
    ['height=0', 'height'],
    ['height=3.5', 'height'],
    ['width=9&height=', 'height'],
    ['format=', 'format'],
    ['format=gif', 'format'],
  ])('rejects %s and names the field', ([query, field]) => {
    expect(() => readRendition(new URLSearchParams(query))).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', field, message: expect.stringContaining(field!) }),
    )
  })
})
