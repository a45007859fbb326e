import sharp from 'sharp'
import { describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createLiveView } from '../../src/cli/demo/live-view.ts'
import {
  decodePicture,
  develop,
  paper,
  pictureLines,
  underSafelight,
  type Pixels,
} from '../../src/cli/demo/picture.ts'
import { plain, type Screen } from '../../src/cli/screen.ts'

const PIXELS: Pixels = { width: 2, height: 2, rgb: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9) }

function png(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#3366cc' } })
    .png()
    .toBuffer()
}

/** A terminal that keeps what was written to it. */
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

describe('a picture made of characters', () => {
  test('has two pixels in each, and resets the colours at the end of a line', () => {
    expect(pictureLines(PIXELS)).toEqual([
      '\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[38;2;0;255;0;48;2;9;9;9m▀\x1b[0m',
    ])
  })

  test('says a colour once for as long as it lasts', () => {
    expect(pictureLines(paper({ ...PIXELS, rgb: new Uint8Array(12) }))[0]?.match(/38;2/g)).toHaveLength(1)
  })

  test.each([
    [1024, 1024, { columns: 76, rows: 40 }, 48, 48],
    [1024, 1536, { columns: 76, rows: 16 }, 21, 32],
    [1536, 1024, { columns: 20, rows: 40 }, 20, 12],
  ])('of %i×%i fits into the room there is', async (width, height, room, columns, rows) => {
    const picture = await decodePicture(await png(width, height), room)
    expect(picture).toMatchObject({ width: columns, height: rows })
    expect(picture?.rgb).toHaveLength(columns * rows * 3)
  })

  test('is not attempted from bytes that are no picture', async () => {
    expect(await decodePicture(Buffer.from('nonsense'), { columns: 40, rows: 20 })).toBeUndefined()
  })

  test('is red under the safelight and itself in daylight', () => {
    expect([...underSafelight(PIXELS, 0).rgb]).toEqual([...PIXELS.rgb])
    const lit = underSafelight(PIXELS, 1).rgb
    for (let i = 0; i < lit.length; i += 3) expect(lit[i]).toBeGreaterThanOrEqual(lit[i + 1] ?? 256)
  })

  test('develops from one into the other', () => {
    const blank = paper(PIXELS)
    expect([...develop(blank, PIXELS, 0).rgb]).toEqual([...blank.rgb])
    expect(develop(blank, PIXELS, 0.5).rgb[0]).toBe(Math.round((58 + 255) / 2))
    expect(develop(blank, PIXELS, 1)).toBe(PIXELS)
    expect(develop({ ...blank, width: 1 }, PIXELS, 0.5)).toBe(PIXELS)
  })
})

describe('the live view', () => {
  const running = { status: 'RUNNING', progress: 0.5, queuePosition: null } as const

  test('leaves the picture, the lines that were said, and the cursor', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.moved(running)
    await view.picture(await png(64, 64), 0.9)
    view.say('  out/fox-partial-1.png')
    await view.picture(await png(64, 64), 0)
    view.moved({ ...running, status: 'SUCCEEDED', progress: 1 })
    await view.close()
    const left = screen.written().slice(screen.written().lastIndexOf('\x1b[J') + '\x1b[J'.length)
    expect(left.match(/▀/g)).toHaveLength(48 * 24)
    expect(left).toContain('48;2;51;102;204m')
    expect(left.endsWith('\n\n\x1b[?25h')).toBe(true)
    expect(screen.written().match(/out\/fox-partial-1\.png/g)).toHaveLength(1)
    expect(screen.written()).toContain(' 99%')
  })

  test('moves the bar between two events', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.moved(running)
    await vi.waitFor(() => expect(new Set(screen.written().match(/\d+%/g)).size).toBeGreaterThan(5))
    await view.close()
  })

  test.each([
    ['too low', { columns: 80, rows: 10 }, true],
    ['without enough colours', { columns: 80, rows: 40 }, false],
  ])('shows the bar alone on a terminal %s', async (_, size, isTruecolor) => {
    const screen = { ...recordingScreen(size), isTruecolor }
    const view = createLiveView(screen, systemClock)
    view.moved(running)
    await view.picture(await png(64, 64), 0)
    await view.close()
    expect(screen.written()).not.toContain('▀')
  })

  test('draws nothing any more once it is closed', async () => {
    const screen = recordingScreen({ columns: 80, rows: 40 })
    const view = createLiveView(screen, systemClock)
    view.moved(running)
    await view.close()
    const before = screen.written()
    view.moved({ ...running, progress: 0.9 })
    await view.picture(await png(64, 64), 0)
    await view.close()
    expect(screen.written()).toBe(before)
  })
})
