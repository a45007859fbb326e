import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { learnEstimate } from '../../src/cli/terminal/estimate.ts'
import { inlineImage } from '../../src/cli/terminal/inline-image.ts'
import { chooseProtocol, detectProtocol } from '../../src/cli/terminal/protocol.ts'
import { encodeSixel } from '../../src/cli/terminal/sixel.ts'

const TERMINAL = { isTerminal: true, isTruecolor: true }

describe('the graphics protocol', () => {
  it.each<[env: Record<string, string>, protocol: string]>([
    [{ TERM: 'xterm-kitty' }, 'kitty'],
    [{ TERM: 'xterm-ghostty', TERM_PROGRAM: 'ghostty' }, 'kitty'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, 'iterm'],
    [{ TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }, 'iterm'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, 'iterm'],
    [{ TERM: 'foot' }, 'sixel'],
    [{ TERM: 'xterm-256color' }, 'blocks'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'Apple_Terminal' }, 'blocks'],
    // A terminal that was started from kitty.
    [{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'blocks'],
    [{ TERM: 'tmux-256color', TERM_PROGRAM: 'iTerm.app' }, 'blocks'],
    [{ TERM: 'xterm-kitty', TMUX: '/tmp/tmux-1000/default,1,0' }, 'blocks'],
    [{ TERM: 'screen.xterm-256color', LC_TERMINAL: 'iTerm2' }, 'blocks'],
  ])('of %o is %s', (env, protocol) => {
    expect(detectProtocol(env, TERMINAL)).toBe(protocol)
    expect(detectProtocol(env, { isTerminal: false, isTruecolor: false })).toBe('none')
  })

  it('is none without 24-bit colors, and can be chosen', () => {
    expect(detectProtocol({ TERM: 'vt100' }, { isTerminal: true, isTruecolor: false })).toBe('none')
    expect(chooseProtocol('sixel', { TERM: 'xterm' }, TERMINAL)).toBe('sixel')
    expect(chooseProtocol('kitty', {}, { isTerminal: false, isTruecolor: false })).toBe('none')
    expect(() => chooseProtocol('regis', {}, TERMINAL)).toThrow(
      '--images is "regis"; it must be one of kitty',
    )
  })
})

const png = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#3366cc' } })
    .png()
    .toBuffer()
/** Control characters as symbols. */
function visible(text: string): string {
  return text.replaceAll('\x1b', '⎋').replaceAll('\x07', '␇')
}

const SPACE = { columns: 76, rows: 20 }

describe('an image in terminal graphics', () => {
  it('is sent to kitty in chunks of base64 PNG that the terminal can decode', async () => {
    const noise = await sharp({
      create: {
        width: 600,
        height: 600,
        channels: 3,
        background: '#000',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .png()
      .toBuffer()
    const text = (await inlineImage(noise, 'kitty', SPACE)) ?? ''
    const chunks = [...visible(text).matchAll(/⎋_G([^;]*);([^⎋]*)⎋\\/g)]
    expect(chunks.length).toBeGreaterThan(5)
    expect(chunks[0]?.[1]).toBe('a=T,f=100,q=2,c=40,r=20,m=1')
    expect(chunks.slice(1).map(([, keys]) => keys)).toEqual([...chunks.slice(2).map(() => 'm=1'), 'm=0'])
    expect(chunks.every(([, , data = '']) => data.length <= 4096)).toBe(true)
    const bytes = Buffer.from(chunks.map(([, , data]) => data).join(''), 'base64')
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 600, height: 600 })
    expect(visible(text).replaceAll(/⎋_G[^⎋]*⎋\\/g, '')).toBe('\n')
  })

  it('is sent to iTerm2 as one sequence with its size in characters', async () => {
    const text = (await inlineImage(await png(1536, 1024), 'iterm', SPACE)) ?? ''
    const [all, columns, rows, data = ''] =
      /^⎋\]1337;File=inline=1;size=\d+;width=(\d+);height=(\d+);preserveAspectRatio=1:(\S+)␇\n$/.exec(
        visible(text),
      ) ?? []
    expect([all === visible(text), columns, rows]).toEqual([true, '48', '16'])
    expect(await sharp(Buffer.from(data, 'base64')).metadata()).toMatchObject({ format: 'png', width: 960 })
  })

  it('is none for bytes that are no image, and without a protocol', async () => {
    expect(await inlineImage(Buffer.from('nonsense'), 'kitty', SPACE)).toBeUndefined()
    expect(await inlineImage(await png(8, 8), 'none', SPACE)).toBeUndefined()
  })

  it('is decoded from sixels with its colors', () => {
    const [width, height] = [37, 20]
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
      return i % 3 === 0 ? (x < 18 ? 255 : 0) : i % 3 === 1 ? (y < 9 ? 255 : 0) : 51
    })
    expect(decodeSixel(encodeSixel({ width, height, rgb }))).toEqual({ width, height, rgb })
  })
})

/** As a terminal does: vt100.net/docs/vt3xx-gp/chapter14.html. */
function decodeSixel(text: string): { width: number; height: number; rgb: Uint8Array } {
  const [, w = '', h = '', body = ''] = /^⎋P0;1q"1;1;(\d+);(\d+)([^⎋]*)⎋\\$/.exec(visible(text)) ?? []
  const [width, height] = [Number(w), Number(h)]
  const rgb = new Uint8Array(width * height * 3)
  const palette = new Map<string, number[]>()
  let [x, top, color] = [0, 0, '']
  for (const [token, number, levels, count, run = '', one = ''] of body.matchAll(
    /#(\d+)((?:;\d+){4})?|!(\d+)([?-~])|([?-~])|\$|-/g,
  )) {
    if (number !== undefined) {
      if (levels) palette.set(number, levels.split(';').slice(2).map(Number))
      color = number
    } else if (token === '$') x = 0
    else if (token === '-') [x, top] = [0, top + 6]
    else
      for (let left = Number(count ?? 1); left > 0; left--, x++)
        for (let bit = 0; bit < 6; bit++)
          if (((run || one).charCodeAt(0) - 63) & (1 << bit))
            rgb.set(
              (palette.get(color) ?? []).map((level) => Math.round(level * 2.55)),
              ((top + bit) * width + x) * 3,
            )
  }
  return { width, height, rgb }
}

describe('the estimate', () => {
  const estimate = learnEstimate([4_000, 2_000, 3_000, 30_000])
  const remainingMs = (elapsedMs: number) => estimate.remainingMs(elapsedMs)
  const fraction = (elapsedMs: number) => estimate.fraction(elapsedMs)

  it('is the median at first, and grows when a task takes longer', () => {
    expect([0, 1_000, 2_500, 10_000].map(remainingMs)).toEqual([3_000, 2_000, 1_500, 20_000])
    expect(fraction(1_500)).toBe(0.5)
  })

  it('is unknown after the longest duration, and with fewer than three', () => {
    expect(remainingMs(31_000)).toBeNull()
    expect(fraction(31_000)).toBe(0.97)
    const unknown = learnEstimate([1_000, 2_000])
    expect([unknown.remainingMs(0), unknown.fraction(500)]).toEqual([null, 0])
  })
})
