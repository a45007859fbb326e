import { mix } from './colour.ts'
import { createNoise } from './random.ts'
import type { Layout } from './layout.ts'
import { linearGradient, path, round, type Point } from './svg.ts'

export function paintAbstract(layout: Layout): string {
  const random = layout.random('abstract')
  const { palette, width, height } = layout
  const colours = [
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
    if (band % 3 === 1) marks.push(disc(layout, random, colours))
    const crest: Point[] = []
    for (let x = -10; x <= width + 10; x += 8) {
      const lift = noise(x / 330 + band * 0.23) * 150 + noise(x / 900 + 50 + band * 0.4) * 190
      crest.push({ x, y: (height * (band + 0.35)) / bands + lift + tilt * (x - width / 2) })
    }
    const colour = random.pick(colours)
    const stops = [
      [0, mix(colour, palette.light, 0.32), 1],
      [0.16, colour, 1],
      [1, mix(colour, palette.sky[0], 0.5), 1],
    ] as const
    const corners = [
      { x: width + 10, y: height + 10 },
      { x: -10, y: height + 10 },
    ]
    marks.push(`<defs>${linearGradient(`band${band}`, stops)}</defs>
      <path d="${path([...crest, ...corners], 'Z')}" fill="url(#band${band})" fill-opacity="0.93"/>${lines(crest, random, mix(colour, palette.light, 0.6))}`)
  }
  return marks.join('')
}

function disc(layout: Layout, random: ReturnType<Layout['random']>, colours: readonly string[]): string {
  const radius = random.between(60, 190)
  const [x, y] = [random.between(0.12, 0.88) * layout.width, random.between(0.1, 0.8) * layout.height]
  const colour = random.pick(colours)
  const rings = [1.16, 1.3, 1.44].map(
    (scale) =>
      `<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius * scale)}" fill="none" stroke="${colour}" stroke-width="2.4" stroke-opacity="0.5"/>`,
  )
  return `${rings.join('')}<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius)}" fill="${colour}"/>
    <circle cx="${round(x - radius * 0.12)}" cy="${round(y - radius * 0.12)}" r="${round(radius * 0.82)}" fill="${mix(colour, layout.palette.light, 0.3)}" fill-opacity="0.5"/>`
}

function lines(crest: readonly Point[], random: ReturnType<Layout['random']>, colour: string): string {
  const count = random.pick([0, 4, 7, 10])
  // Half the points suffice; rendering time grows with them.
  const points = crest.filter((_, index) => index % 2 === 0)
  return Array.from({ length: count }, (_, index) => {
    const drop = 9 + index * 11 * (1 - index * 0.03)
    const line = points.map((point) => ({ x: point.x, y: point.y + drop }))
    return `<path d="${path(line)}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-opacity="${round((0.55 - index * 0.05) * 100) / 100}"/>`
  }).join('')
}
