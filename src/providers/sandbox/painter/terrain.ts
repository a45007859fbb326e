import { mix, type Colour } from './colour.ts'
import { createNoise } from './random.ts'
import type { Layout } from './layout.ts'
import { FAINT_EDGES, linearGradient, mergeMarks, path, type Mark, type Point } from './svg.ts'

/** Crest from left to right. */
export interface Ridge {
  name: string
  crest: readonly Point[]
  /** 0 (farthest) to 1 (foreground). */
  nearness: number
}

export interface RidgeShape {
  /** Mean, from the top. */
  base: number
  relief: number
  /** Of one hill. */
  span: number
  form: 'PEAKS' | 'HILLS'
  nearness: number
}

/** The crest depends on `name`. */
export function createRidge(layout: Layout, name: string, shape: RidgeShape): Ridge {
  const random = layout.random(name)
  const isPeaks = shape.form === 'PEAKS'
  const noise = createNoise(random, isPeaks ? 6 : 2)
  const fine = createNoise(random, 4)
  const shift = random.between(0, 100)
  const crest: Point[] = []
  for (let x = -20; x <= layout.width + 20; x += 5) {
    const at = x / shape.span + shift
    // Absolute values: sharp edges.
    const rise = isPeaks ? 1 - 2.4 * Math.abs(noise(at)) : noise(at)
    crest.push({ x, y: shape.base - shape.relief * (rise + (isPeaks ? 0 : 0.03 * fine(at * 9))) })
  }
  return { name, crest, nearness: shape.nearness }
}

export function landColour(layout: Layout, nearness: number): Colour {
  return mix(layout.palette.haze, layout.palette.ground, nearness)
}

export function paintRidge(layout: Layout, ridge: Ridge): string {
  const colour = landColour(layout, ridge.nearness)
  const foot = mix(colour, layout.palette.sky[3], 0.5 * (1 - ridge.nearness))
  const lit = mix(colour, layout.palette.light, 0.42 * (1 - ridge.nearness * 0.5))
  const corners = [
    { x: layout.width + 20, y: layout.height + 20 },
    { x: -20, y: layout.height + 20 },
  ]
  const shade = ridge.crest.map((point) => ({
    x: point.x + (point.x < layout.sun.x ? -3.2 : 3.2),
    y: point.y + 3.4,
  }))
  const stops = [
    [0, colour, 1],
    [0.45, mix(colour, foot, 0.6), 1],
    [1, foot, 1],
  ] as const
  return `<defs>${linearGradient(ridge.name, stops)}</defs><path d="${path([...ridge.crest, ...corners], 'Z')}" fill="${lit}"/>
    <path d="${path([...shade, ...corners], 'Z')}" fill="url(#${ridge.name})"/>`
}

export function crestAt(ridge: Ridge, x: number): number {
  const index = Math.round((x + 20) / 5)
  return ridge.crest[Math.min(ridge.crest.length - 1, Math.max(0, index))]?.y ?? 0
}

export function paintStrata(layout: Layout, crest: readonly Point[]): string {
  const random = layout.random('strata')
  const colours = [layout.palette.light, layout.palette.sky[2], '#05060c']
  const marks: Mark[] = []
  for (let index = 0; index < 150; index++) {
    const length = Math.round(random.between(5, 22))
    const from = Math.floor(random.between(0, crest.length - length))
    const drop = 12 + 300 * random.next() ** 1.6
    const line = crest
      .slice(from, from + length)
      .map(({ x, y }) => ({ x, y: y + drop + random.between(-2.5, 2.5) }))
    const colour = random.pick(colours)
    const width = Math.round(random.between(1.5, 6))
    const opacity = Math.round(random.between(0.05, 0.2) * 20) / 20
    marks.push({
      data: path(line),
      style: `stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"`,
    })
  }
  return `<g fill="none" ${FAINT_EDGES}>${mergeMarks(marks)}</g>`
}

export interface PineSettings {
  /** Mean height. */
  tall: number
  /** Mean distance. */
  gap: number
}

export function paintPines(layout: Layout, ridge: Ridge, wood: PineSettings): string {
  const random = layout.random(`${ridge.name}-pines`)
  const density = createNoise(random, 2)
  const isSnow = layout.scene.weather === 'SNOW'
  const dark = isSnow
    ? mix(layout.palette.sky[0], '#10202c', 0.5)
    : landColour(layout, Math.min(1, ridge.nearness + 0.12))
  const colour = isSnow ? mix(layout.palette.haze, dark, 0.35 + 0.55 * ridge.nearness) : dark
  const trees: string[] = []
  const snow: string[] = []
  for (let x = -10; x < layout.width + 10; x += wood.gap * random.between(0.4, 1.5)) {
    const tall = wood.tall * random.between(0.55, 1.3) * (1 + 0.35 * density(x / 160))
    if (density(x / 190 + 40) < -0.38) continue
    const foot = { x, y: crestAt(ridge, x) + tall * 0.06 }
    trees.push(pine(foot, tall, 1))
    if (isSnow) snow.push(pine({ x: x - tall * 0.015, y: foot.y - tall * 0.035 }, tall * 0.96, 0.55))
  }
  return fillTrees(trees, colour) + fillTrees(snow, mix(colour, layout.palette.ground, 0.62))
}

/** Faster than one path for all, or each. */
const TREES_PER_PATH = 4

function fillTrees(trees: readonly string[], colour: Colour): string {
  const paths: string[] = []
  for (let at = 0; at < trees.length; at += TREES_PER_PATH) {
    paths.push(`<path d="${trees.slice(at, at + TREES_PER_PATH).join('')}"/>`)
  }
  return `<g fill="${colour}">${paths.join('')}</g>`
}

function pine(foot: Point, tall: number, breadth: number): string {
  // More are invisible on small trees.
  const tiers = tall < 60 ? 4 : 6
  const right: Point[] = []
  const left: Point[] = []
  for (let tier = 0; tier <= tiers; tier++) {
    const y = foot.y - tall * (1 - tier / tiers)
    const reach = tall * 0.2 * breadth * (tier / tiers) ** 0.85
    right.push({ x: foot.x + reach, y }, { x: foot.x + reach * 0.55, y: y - tall * 0.012 })
    left.unshift({ x: foot.x - reach * 0.55, y: y - tall * 0.012 }, { x: foot.x - reach, y })
  }
  return path([...right, ...left], 'Z')
}
