import { mix } from './colour.ts'
import { landColour } from './land.ts'
import { round, type Sheet } from './sheet.ts'

/** Blades of grass, or stalks that stand out of the snow. */
export function paintTufts(sheet: Sheet, groundAt: (x: number) => number): string {
  const random = sheet.random('tufts')
  const isSnow = sheet.scene.weather === 'SNOW'
  const blades: string[] = []
  for (let index = 0; index < (isSnow ? 90 : 420); index++) {
    const x = random.between(0, sheet.width)
    const depth = random.next() ** 0.7
    if (groundAt(x) > sheet.height) continue
    const y = groundAt(x) + depth * (sheet.height - groundAt(x))
    const tall = random.between(8, 30) * (isSnow ? 1.3 : 1)
    blades.push(
      `M${round(x)} ${round(y)}q${round(random.between(-3, 3))} ${round(-tall * 0.6)} ${round(random.between(-10, 10))} ${round(-tall)}`,
    )
  }
  const colour = isSnow
    ? mix(sheet.palette.ground, '#5b4a4a', 0.6)
    : mix(landColour(sheet, 1), sheet.palette.light, 0.16)
  return `<path d="${blades.join('')}" fill="none" stroke="${colour}" stroke-width="2" stroke-linecap="round" opacity="0.6"/>`
}

/** Flowers from the ground line down to the lower edge, larger the nearer they are. */
export function paintFlowers(sheet: Sheet, groundAt: (x: number) => number): string {
  const random = sheet.random('flowers')
  const inks = [sheet.palette.accent, '#fff4dc', '#f6c445', mix(sheet.palette.accent, '#c04a9a', 0.5)]
  const plants = Array.from({ length: Math.round(sheet.width * 0.3) }, () => ({
    x: random.between(0, sheet.width),
    depth: random.next(),
  }))
  // Far ones first, so that near ones cover them.
  plants.sort((a, b) => a.depth - b.depth)
  const marks = plants.map(({ x, depth }) => {
    const y = groundAt(x) + 8 + depth * (sheet.height - groundAt(x))
    const size = 2.4 + 9 * depth ** 1.4
    const ink = random.pick(inks)
    const tall = size * random.between(2.4, 4.6)
    const petals = Array.from({ length: 5 }, (_, petal) => {
      const angle = (petal / 5) * 2 * Math.PI + x
      return `<ellipse cx="${round(x + Math.cos(angle) * size * 0.6)}" cy="${round(y - tall + Math.sin(angle) * size * 0.45)}" rx="${round(size * 0.55)}" ry="${round(size * 0.48)}"/>`
    })
    return `<path d="M${round(x)} ${round(y)}v${round(-tall)}" stroke="${mix(sheet.palette.ground, '#7fa04a', 0.35)}" stroke-width="${round(0.8 + size * 0.13)}"/><g fill="${ink}">${petals.join('')}</g><circle cx="${round(x)}" cy="${round(y - tall)}" r="${round(size * 0.3)}" fill="#5a3a1e"/>`
  })
  return marks.join('')
}
