import { mix } from './colour.ts'
import type { Layout } from './layout.ts'
import { FAINT_EDGES, ellipsePath, mergeMarks, round, type Mark, type Point } from './svg.ts'
import { landColour } from './terrain.ts'

export function paintTufts(layout: Layout, groundAt: (x: number) => number): string {
  const random = layout.random('tufts')
  const isSnow = layout.scene.weather === 'SNOW'
  const blades: string[] = []
  for (let index = 0; index < (isSnow ? 90 : 420); index++) {
    const x = random.between(0, layout.width)
    const depth = random.next() ** 0.7
    if (groundAt(x) > layout.height) continue
    const y = groundAt(x) + depth * (layout.height - groundAt(x))
    const tall = random.between(8, 30) * (isSnow ? 1.3 : 1)
    blades.push(
      `M${round(x)} ${round(y)}q${round(random.between(-3, 3))} ${round(-tall * 0.6)} ${round(random.between(-10, 10))} ${round(-tall)}`,
    )
  }
  const colour = isSnow
    ? mix(layout.palette.ground, '#5b4a4a', 0.6)
    : mix(landColour(layout, 1), layout.palette.light, 0.16)
  const edges = isSnow ? 'stroke-linecap="round"' : FAINT_EDGES
  return `<path d="${blades.join('')}" fill="none" stroke="${colour}" stroke-width="2" stroke-opacity="0.6" ${edges}/>`
}

/** Flowers of one row are drawn together. */
const FLOWER_ROWS = 12

export function paintFlowers(layout: Layout, groundAt: (x: number) => number): string {
  const random = layout.random('flowers')
  const { palette, width, height } = layout
  const colours = [palette.accent, '#fff4dc', '#f6c445', mix(palette.accent, '#c04a9a', 0.5)]
  const stemColour = mix(palette.ground, '#7fa04a', 0.35)
  const plants = Array.from({ length: Math.round(width * 0.3) }, () => ({
    x: random.between(0, width),
    depth: random.next(),
  }))
  // Near ones cover far ones.
  plants.sort((a, b) => a.depth - b.depth)
  const rows = Map.groupBy(plants, ({ depth }) => Math.floor(depth * FLOWER_ROWS))

  function draw({ x, depth }: { x: number; depth: number }, row: number): Flower {
    const y = groundAt(x) + 8 + depth * (height - groundAt(x))
    const size = 2.4 + 9 * depth ** 1.4
    const colour = random.pick(colours)
    const head = { x, y: y - size * random.between(2.4, 4.6) }
    const stemWidth = round(1 + 1.1 * ((row + 0.5) / FLOWER_ROWS) ** 1.4)
    return {
      stem: {
        data: `M${round(x)} ${round(y)}V${round(head.y)}`,
        style: `stroke="${stemColour}" stroke-width="${stemWidth}"`,
      },
      petals: { data: petalsPath(head, size), style: `fill="${colour}"` },
      centre: { data: ellipsePath(head, size * 0.3, size * 0.3), style: 'fill="#5a3a1e"' },
    }
  }

  const marks = [...rows].map(([row, members]) => {
    const flowers = members.map((plant) => draw(plant, row))
    return mergeMarks([
      ...flowers.map(({ stem }) => stem),
      ...flowers.map(({ petals }) => petals),
      ...flowers.map(({ centre }) => centre),
    ])
  })
  return marks.join('')
}

interface Flower {
  stem: Mark
  petals: Mark
  centre: Mark
}

const PETALS = 5
/** Smaller petals are invisible. */
const MIN_PETAL_FLOWER = 4

function petalsPath(head: Point, size: number): string {
  if (size < MIN_PETAL_FLOWER) return ellipsePath(head, size, size * 0.8)
  const ellipses = Array.from({ length: PETALS }, (_, petal) => {
    const angle = (petal / PETALS) * 2 * Math.PI + head.x
    const centre = {
      x: head.x + Math.cos(angle) * size * 0.6,
      y: head.y + Math.sin(angle) * size * 0.45,
    }
    return ellipsePath(centre, size * 0.55, size * 0.48)
  })
  return ellipses.join('')
}
