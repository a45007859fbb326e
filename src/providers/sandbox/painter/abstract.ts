import { mix } from './colour.ts'
import { createNoise } from './random.ts'
import { fade, path, round, type Point, type Sheet } from './sheet.ts'

/** No place at all: bands of colour that flow across the sheet, and a few discs between them. */
export function paintAbstract(sheet: Sheet): string {
  const random = sheet.random('abstract')
  const { palette, width, height } = sheet
  const inks = [
    ...palette.sky,
    palette.accent,
    palette.haze,
    palette.light,
    mix(palette.accent, palette.sky[0], 0.45),
  ]
  const noise = createNoise(random, 2)
  const tilt = random.between(-0.35, 0.35)
  const bands = 11
  const marks: string[] = [`<rect width="${width}" height="${height}" fill="${palette.sky[3]}"/>`]
  for (let band = 0; band < bands; band++) {
    if (band % 3 === 1) marks.push(disc(sheet, random, inks))
    const crest: Point[] = []
    for (let x = -10; x <= width + 10; x += 8) {
      const lift = noise(x / 330 + band * 0.23) * 150 + noise(x / 900 + 50 + band * 0.4) * 190
      crest.push({ x, y: (height * (band + 0.35)) / bands + lift + tilt * (x - width / 2) })
    }
    const ink = random.pick(inks)
    const stops = [
      [0, mix(ink, palette.light, 0.32), 1],
      [0.16, ink, 1],
      [1, mix(ink, palette.sky[0], 0.5), 1],
    ] as const
    const corners = [
      { x: width + 10, y: height + 10 },
      { x: -10, y: height + 10 },
    ]
    marks.push(`<defs>${fade(`band${band}`, stops)}</defs>
      <path d="${path([...crest, ...corners], 'Z')}" fill="url(#band${band})" opacity="0.93"/>${lines(crest, random, mix(ink, palette.light, 0.6))}`)
  }
  return marks.join('')
}

function disc(sheet: Sheet, random: ReturnType<Sheet['random']>, inks: readonly string[]): string {
  const radius = random.between(60, 190)
  const [x, y] = [random.between(0.12, 0.88) * sheet.width, random.between(0.1, 0.8) * sheet.height]
  const ink = random.pick(inks)
  const rings = [1.16, 1.3, 1.44].map(
    (scale) =>
      `<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius * scale)}" fill="none" stroke="${ink}" stroke-width="2.4" opacity="0.5"/>`,
  )
  return `${rings.join('')}<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius)}" fill="${ink}"/>
    <circle cx="${round(x - radius * 0.12)}" cy="${round(y - radius * 0.12)}" r="${round(radius * 0.82)}" fill="${mix(ink, sheet.palette.light, 0.3)}" opacity="0.5"/>`
}

// Fine lines that follow a band, closer and fainter the deeper they lie.
function lines(crest: readonly Point[], random: ReturnType<Sheet['random']>, colour: string): string {
  const count = random.pick([0, 4, 7, 10])
  return Array.from({ length: count }, (_, index) => {
    const drop = 9 + index * 11 * (1 - index * 0.03)
    const line = crest.map((point) => ({ x: point.x, y: point.y + drop }))
    return `<path d="${path(line)}" fill="none" stroke="${colour}" stroke-width="1.6" opacity="${round((0.55 - index * 0.05) * 100) / 100}"/>`
  }).join('')
}
