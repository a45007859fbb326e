import { describe, expect, it } from 'vitest'
import sharp from 'sharp'
import { encodeMask } from '../../dashboard/src/studio/mask/png.ts'
import { rasterize, shareOf } from '../../dashboard/src/studio/mask/raster.ts'
import {
  addStroke,
  boxOf,
  EMPTY_MASK,
  MAX_UNDO_STEPS,
  redo,
  strokesOf,
  undo,
  type MaskState,
  type Stroke,
} from '../../dashboard/src/studio/mask/strokes.ts'

const SIZE = { width: 12, height: 8 }
const rectangle: Stroke = { kind: 'rectangle', x: 2, y: 1, width: 4, height: 3 }

/** One line of text for each row: `#` is redrawn. */
function draw(...strokes: Stroke[]): string {
  const { pixels } = rasterize(strokes, SIZE)
  const rows = Array.from({ length: SIZE.height }, (_, y) =>
    pixels.subarray(y * SIZE.width, (y + 1) * SIZE.width),
  )
  return rows.map((row) => Array.from(row, (pixel) => (pixel === 1 ? '#' : '.')).join('')).join('\n')
}

describe('the mask', () => {
  it('has exactly the pixels of a rectangle', () => {
    expect(draw(rectangle)).toBe(
      [
        '............',
        ...Array<string>(3).fill('..####......'),
        ...Array<string>(4).fill('............'),
      ].join('\n'),
    )
  })

  it('has the pixels whose center is within the brush, without smoothed edges', () => {
    expect(
      draw({
        kind: 'brush',
        size: 4,
        points: [
          { x: 3, y: 3 },
          { x: 8, y: 3 },
        ],
      }),
    ).toBe(
      [
        '............',
        '..#######...',
        '.#########..',
        '.#########..',
        '..#######...',
        '............',
        '............',
        '............',
      ].join('\n'),
    )
  })

  it('has an ellipse within its box', () => {
    expect(draw({ kind: 'ellipse', x: 1, y: 1, width: 8, height: 4 })).toBe(
      [
        '............',
        '...####.....',
        '.########...',
        '.########...',
        '...####.....',
        '............',
        '............',
        '............',
      ].join('\n'),
    )
  })

  it('loses what the eraser touches, all by clearing, and is the reverse when inverted', () => {
    const erased = draw(rectangle, { kind: 'eraser', size: 2, points: [{ x: 3, y: 2 }] })
    expect(erased.split('\n').slice(1, 4)).toEqual(['....##......', '....##......', '..####......'])
    expect(draw(rectangle, { kind: 'clear' })).toBe(draw())
    expect(draw(rectangle, { kind: 'invert' }, { kind: 'invert' })).toBe(draw(rectangle))
    expect(shareOf(rasterize([{ kind: 'invert' }], SIZE))).toBe(1)
  })

  it('may begin with an imported one', () => {
    const { pixels } = rasterize([rectangle], SIZE)
    expect(draw({ kind: 'import', pixels })).toBe(draw(rectangle))
  })

  it('has nothing of strokes beyond its edges', () => {
    expect(draw({ kind: 'rectangle', x: 10, y: -4, width: 40, height: 6 }).split('\n').slice(0, 3)).toEqual([
      '..........##',
      '..........##',
      '............',
    ])
  })
})

describe('undo and redo', () => {
  const many = (count: number): MaskState =>
    Array.from({ length: count }, (_, x): Stroke => ({ ...rectangle, x })).reduce(addStroke, EMPTY_MASK)

  it('go back and forth by one stroke; a new stroke ends what could be redone', () => {
    const state = many(3)
    expect(strokesOf(undo(state))).toEqual(strokesOf(many(2)))
    expect(strokesOf(redo(undo(state)))).toEqual(strokesOf(state))
    expect(addStroke(undo(state), rectangle).undone).toEqual([])
    expect(undo(EMPTY_MASK)).toBe(EMPTY_MASK)
  })

  it('reach back 50 strokes; older ones stay', () => {
    let state = many(MAX_UNDO_STEPS + 5)
    for (let step = 0; step < MAX_UNDO_STEPS + 5; step++) state = undo(state)
    expect(strokesOf(state)).toEqual(strokesOf(many(5)))
  })
})

it('a dragged box is in whole pixels within the image, whichever corner comes first', () => {
  expect(boxOf({ x: 5.6, y: 3.9 }, { x: 1.7, y: 1.2 }, SIZE)).toEqual({ x: 2, y: 1, width: 4, height: 3 })
  expect(boxOf({ x: -9, y: -9 }, { x: 99, y: 99 }, SIZE)).toEqual({ x: 0, y: 0, ...SIZE })
  expect(boxOf({ x: 3, y: 3 }, { x: 3.2, y: 8 }, SIZE)).toBeUndefined()
})

it('the PNG has the size of the image, alpha 0 where it is redrawn and 255 elsewhere', async () => {
  const raster = rasterize([rectangle], SIZE)
  const bytes = Buffer.from(await (await encodeMask(raster)).arrayBuffer())
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ ...SIZE, channels: 4 })
  const alphas = Array.from(raster.pixels, (_, index) => data[index * 4 + 3])
  expect(alphas).toEqual(Array.from(raster.pixels, (pixel) => (pixel === 1 ? 0 : 255)))
})
