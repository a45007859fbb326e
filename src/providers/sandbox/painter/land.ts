import { mix, type Colour } from './colour.ts'
import { createNoise } from './random.ts'
import { fade, path, round, type Point, type Sheet } from './sheet.ts'

/** One fold of land: its crest, left to right. */
export interface Ridge {
  name: string
  crest: readonly Point[]
  /** 0 is as far as one can see, 1 is at the painter's feet. */
  nearness: number
}

export interface RidgeShape {
  /** Mean height of the crest, in units from the top. */
  base: number
  /** How far the crest rises and falls. */
  relief: number
  /** Width of one hill. */
  span: number
  form: 'PEAKS' | 'HILLS'
  nearness: number
}

/** A crest of its own for each name. */
export function raiseRidge(sheet: Sheet, name: string, shape: RidgeShape): Ridge {
  const random = sheet.random(name)
  const isPeaks = shape.form === 'PEAKS'
  const noise = createNoise(random, isPeaks ? 6 : 2)
  const fine = createNoise(random, 4)
  const shift = random.between(0, 100)
  const crest: Point[] = []
  for (let x = -20; x <= sheet.width + 20; x += 5) {
    const at = x / shape.span + shift
    // Folding the noise at zero turns smooth hills into sharp edges.
    const rise = isPeaks ? 1 - 2.4 * Math.abs(noise(at)) : noise(at)
    crest.push({ x, y: shape.base - shape.relief * (rise + (isPeaks ? 0 : 0.03 * fine(at * 9))) })
  }
  return { name, crest, nearness: shape.nearness }
}

/** Colour of land at a distance. */
export function landColour(sheet: Sheet, nearness: number): Colour {
  return mix(sheet.palette.haze, sheet.palette.ground, nearness)
}

/** Fills the land below a crest: light along the edge that faces the sun, and air gathering at its foot. */
export function paintRidge(sheet: Sheet, ridge: Ridge): string {
  const colour = landColour(sheet, ridge.nearness)
  const foot = mix(colour, sheet.palette.sky[3], 0.5 * (1 - ridge.nearness))
  const lit = mix(colour, sheet.palette.light, 0.42 * (1 - ridge.nearness * 0.5))
  const corners = [
    { x: sheet.width + 20, y: sheet.height + 20 },
    { x: -20, y: sheet.height + 20 },
  ]
  const shade = ridge.crest.map((point) => ({
    x: point.x + (point.x < sheet.sun.x ? -3.2 : 3.2),
    y: point.y + 3.4,
  }))
  const stops = [
    [0, colour, 1],
    [0.45, mix(colour, foot, 0.6), 1],
    [1, foot, 1],
  ] as const
  return `<defs>${fade(ridge.name, stops)}</defs><path d="${path([...ridge.crest, ...corners], 'Z')}" fill="${lit}"/>
    <path d="${path([...shade, ...corners], 'Z')}" fill="url(#${ridge.name})"/>`
}

/** Height of a crest at `x`. */
export function crestAt(ridge: Ridge, x: number): number {
  const index = Math.round((x + 20) / 5)
  return ridge.crest[Math.min(ridge.crest.length - 1, Math.max(0, index))]?.y ?? 0
}

/** Layers of rock below a crest, following it downwards. */
export function paintStrata(sheet: Sheet, crest: readonly Point[]): string {
  const random = sheet.random('strata')
  const colours = [sheet.palette.light, sheet.palette.sky[2], '#05060c']
  const marks: string[] = []
  for (let index = 0; index < 150; index++) {
    const length = Math.round(random.between(5, 22))
    const from = Math.floor(random.between(0, crest.length - length))
    const drop = 12 + 300 * random.next() ** 1.6
    const line = crest
      .slice(from, from + length)
      .map(({ x, y }) => ({ x, y: y + drop + random.between(-2.5, 2.5) }))
    marks.push(
      `<path d="${path(line)}" stroke="${random.pick(colours)}" stroke-width="${round(random.between(1.5, 6))}" opacity="${round(random.between(0.05, 0.2) * 100) / 100}"/>`,
    )
  }
  return `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${marks.join('')}</g>`
}

export interface Wood {
  /** Mean height of a tree. */
  tall: number
  /** Mean distance between two. */
  gap: number
}

/** Pines along a crest. Snow lies on them when it snows. */
export function paintPines(sheet: Sheet, ridge: Ridge, wood: Wood): string {
  const random = sheet.random(`${ridge.name}-pines`)
  const density = createNoise(random, 2)
  const isSnow = sheet.scene.weather === 'SNOW'
  const dark = isSnow
    ? mix(sheet.palette.sky[0], '#10202c', 0.5)
    : landColour(sheet, Math.min(1, ridge.nearness + 0.12))
  const colour = isSnow ? mix(sheet.palette.haze, dark, 0.35 + 0.55 * ridge.nearness) : dark
  const trees: string[] = []
  const snow: string[] = []
  for (let x = -10; x < sheet.width + 10; x += wood.gap * random.between(0.4, 1.5)) {
    const tall = wood.tall * random.between(0.55, 1.3) * (1 + 0.35 * density(x / 160))
    if (density(x / 190 + 40) < -0.38) continue
    const foot = { x, y: crestAt(ridge, x) + tall * 0.06 }
    trees.push(pine(foot, tall, 1))
    if (isSnow) snow.push(pine({ x: x - tall * 0.015, y: foot.y - tall * 0.035 }, tall * 0.96, 0.55))
  }
  const cover = isSnow ? `<path d="${snow.join('')}" fill="${mix(colour, sheet.palette.ground, 0.62)}"/>` : ''
  return `<path d="${trees.join('')}" fill="${colour}"/>${cover}`
}

function pine(foot: Point, tall: number, breadth: number): string {
  const tiers = 6
  const right: Point[] = []
  const left: Point[] = []
  for (let tier = 0; tier <= tiers; tier++) {
    const y = foot.y - tall * (1 - tier / tiers)
    const reach = tall * 0.2 * breadth * (tier / tiers) ** 0.85
    right.push({ x: foot.x + reach, y }, { x: foot.x + reach * 0.55, y: y - tall * 0.012 })
    left.unshift({ x: foot.x - reach * 0.55, y: y - tall * 0.012 }, { x: foot.x - reach, y })
  }
  return path(
    [...right, ...left].map((point) => ({ x: round(point.x), y: round(point.y) })),
    'Z',
  )
}
