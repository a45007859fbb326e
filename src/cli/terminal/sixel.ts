import type { Pixels } from './blocks.ts'

// vt100.net/docs/vt3xx-gp/chapter14.html. A palette of 6 levels per channel, dithered.
const LEVELS = 6
const BAND = 6
/** Thresholds of ordered dithering, in 16ths. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

export function encodeSixel({ width, height, rgb }: Pixels): string {
  const palette = Array.from({ length: LEVELS ** 3 }, (_, color) => {
    const [red, green, blue] = [color / LEVELS ** 2, color / LEVELS, color].map(
      (level) => (Math.floor(level) % LEVELS) * 20,
    )
    return `#${color};2;${red};${green};${blue}`
  })
  const bands = Array.from({ length: Math.ceil(height / BAND) }, (_, band) =>
    encodeBand(band * BAND, { width, height, rgb }),
  )
  return `\x1bP0;1q"1;1;${width};${height}${palette.join('')}${bands.join('-')}\x1b\\`
}

/** Six rows: a character per color and column, whose bits are the rows. */
function encodeBand(top: number, { width, height, rgb }: Pixels): string {
  const columns = new Map<number, Uint8Array>()
  for (let row = 0; row < Math.min(BAND, height - top); row++)
    for (let x = 0; x < width; x++) {
      const color = colorAt(rgb, x, top + row, width)
      let bits = columns.get(color)
      if (!bits) columns.set(color, (bits = new Uint8Array(width)))
      bits[x] = (bits[x] ?? 0) | (1 << row)
    }
  return [...columns].map(([color, bits]) => `#${color}${runs(bits)}`).join('$')
}

function colorAt(rgb: Uint8Array, x: number, y: number, width: number): number {
  const threshold = ((BAYER[(y % 4) * 4 + (x % 4)] ?? 0) + 0.5) / 16
  const at = (y * width + x) * 3
  const level = (channel: number) =>
    Math.min(LEVELS - 1, Math.floor(((rgb[at + channel] ?? 0) / 255) * (LEVELS - 1) + threshold))
  return (level(0) * LEVELS + level(1)) * LEVELS + level(2)
}

function runs(bits: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bits.length;) {
    let end = start + 1
    while (end < bits.length && bits[end] === bits[start]) end++
    const character = String.fromCharCode(63 + (bits[start] ?? 0))
    text += end - start > 3 ? `!${end - start}${character}` : character.repeat(end - start)
    start = end
  }
  return text
}
