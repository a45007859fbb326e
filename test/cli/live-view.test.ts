import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createLiveView } from '../../src/cli/terminal/live-view.ts'
import {
  blankLike,
  crossFade,
  decodeImage,
  imageLines,
  tintRed,
  type Pixels,
} from '../../src/cli/terminal/blocks.ts'
import { plain, type Screen } from '../../src/cli/screen.ts'

const PIXELS: Pixels = { width: 2, height: 2, rgb: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9) }

function png(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#3366cc' } })
    .png()
    .toBuffer()
}

/** A terminal that records its output. */
function recordingScreen(size: { columns: number; rows: number }): Screen & { written(): string } {
  let text = ''
  return {
    write: (more) => void (text += more),
    paint: plain,
    isTerminal: true,
    isTruecolor: true,
    size: () => size,
    written: () => text,
  }
}

describe('an image in a terminal', () => {
  it('has two pixels per character, and resets colors at the end of a line', () => {
    expect(imageLines(PIXELS)).toEqual([
      '\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[38;2;0;255;0;48;2;9;9;9m▀\x1b[0m',
    ])
  })

  it('repeats no color code for pixels of the same color', () => {
    expect(imageLines(blankLike({ ...PIXELS, rgb: new Uint8Array(12) }))[0]?.match(/38;2/g)).toHaveLength(1)
  })

  it.each([
    [1024, 1024, { columns: 76, rows: 40 }, 48, 48],
    [1024, 1536, { columns: 76, rows: 16 }, 21, 32],
    [1536, 1024, { columns: 20, rows: 40 }, 20, 12],
  ])('of %i×%i fits into the terminal', async (width, height, space, columns, rows) => {
    const image = await decodeImage(await png(width, height), space)
    expect(image).toMatchObject({ width: columns, height: rows })
    expect(image?.rgb).toHaveLength(columns * rows * 3)
  })

  it('is undefined for bytes that are no image', async () => {
    expect(await decodeImage(Buffer.from('nonsense'), { columns: 40, rows: 20 })).toBeUndefined()
  })

  it('is red with a full tint, and unchanged without one', () => {
    expect([...tintRed(PIXELS, 0).rgb]).toEqual([...PIXELS.rgb])
    const lit = tintRed(PIXELS, 1).rgb
    for (let i = 0; i < lit.length; i += 3) expect(lit[i]).toBeGreaterThanOrEqual(lit[i + 1] ?? 256)
  })

  it('fades into another one', () => {
    const blank = blankLike(PIXELS)
    expect([...crossFade(blank, PIXELS, 0).rgb]).toEqual([...blank.rgb])
    expect(crossFade(blank, PIXELS, 0.5).rgb[0]).toBe(Math.round((58 + 255) / 2))
    expect(crossFade(blank, PIXELS, 1)).toBe(PIXELS)
    expect(crossFade({ ...blank, width: 1 }, PIXELS, 0.5)).toBe(PIXELS)
  })
})

describe('the live view', () => {
  const running = { status: 'RUNNING', progress: 0.5, queuePosition: null } as const

  it('leaves the image, the printed lines and a visible cursor', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.update(running)
    await view.showImage(await png(64, 64), 0.9)
    view.print('  out/fox-partial-1.png')
    await view.showImage(await png(64, 64), 0)
    view.update({ ...running, status: 'SUCCEEDED', progress: 1 })
    await view.close()
    const left = screen.written().slice(screen.written().lastIndexOf('\x1b[J') + '\x1b[J'.length)
    expect(left.match(/▀/g)).toHaveLength(48 * 24)
    expect(left).toContain('48;2;51;102;204m')
    expect(left.endsWith('\n\n\x1b[?25h')).toBe(true)
    expect(screen.written().match(/out\/fox-partial-1\.png/g)).toHaveLength(1)
    expect(screen.written()).toContain(' 99%')
  })

  it('moves the bar between events', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.update(running)
    await expect.poll(() => new Set(screen.written().match(/\d+%/g)).size).toBeGreaterThan(5)
    await view.close()
  })

  it.each([
    ['with few rows', { columns: 80, rows: 10 }, true],
    ['without 24-bit colors', { columns: 80, rows: 40 }, false],
  ])('shows only the bar on a terminal %s', async (_, size, isTruecolor) => {
    const screen = { ...recordingScreen(size), isTruecolor }
    const view = createLiveView(screen, systemClock)
    view.update(running)
    await view.showImage(await png(64, 64), 0)
    await view.close()
    expect(screen.written()).not.toContain('▀')
  })

  it('draws nothing after it is closed', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.update(running)
    await view.close()
    const before = screen.written()
    view.update({ ...running, progress: 0.9 })
    await view.showImage(await png(64, 64), 0)
    await view.close()
    expect(screen.written()).toBe(before)
  })
})
