// Rule of thirds, opposite the sun.
import { drawBirds, drawCat, drawFox } from './animals.ts'
import type { GroundLine } from './landscapes.ts'
import type { Subject } from './scene.ts'
import type { Layout } from './layout.ts'
import { drawBalloon, drawBoat, drawCabin, drawLighthouse, drawTree } from './objects.ts'
import { round, type Point } from './svg.ts'

interface SubjectDrawing {
  draw: (layout: Layout) => string
  /** In the drawing's units. */
  drawnHeight: number
  /** In the picture. */
  size: number
  /** From foot to middle, in the drawing's units. */
  centreOffset: number
  castsShadow: boolean
  /** Of its foot. `side`: the third opposite the sun; `other`: the one below it. */
  position: (layout: Layout, groundAt: GroundLine, side: number, other: number) => Point
}

const SUBJECTS: Readonly<Record<Subject, SubjectDrawing>> = {
  LIGHTHOUSE: {
    draw: drawLighthouse,
    drawnHeight: 430,
    size: 430,
    centreOffset: 0,
    castsShadow: false,
    position: ({ width, sun }, groundAt) => {
      const x = width * (sun.x > width / 2 ? 0.21 : 0.79)
      return { x, y: groundAt(x) + 14 }
    },
  },
  CABIN: {
    draw: drawCabin,
    drawnHeight: 160,
    size: 170,
    centreOffset: 6,
    castsShadow: true,
    position: (_, groundAt, __, x) => ({ x, y: groundAt(x) + 6 }),
  },
  TREE: {
    draw: drawTree,
    drawnHeight: 290,
    size: 430,
    centreOffset: 0,
    castsShadow: true,
    position: (_, groundAt, __, x) => ({ x, y: groundAt(x) + 6 }),
  },
  BOAT: {
    draw: drawBoat,
    drawnHeight: 180,
    size: 170,
    centreOffset: 3,
    castsShadow: false,
    position: ({ height, horizon }, _, __, x) => ({ x, y: horizon + (height - horizon) * 0.34 }),
  },
  BALLOON: {
    draw: drawBalloon,
    drawnHeight: 264,
    size: 250,
    centreOffset: 0,
    castsShadow: false,
    position: ({ horizon }, _, x) => ({ x, y: horizon * 0.66 }),
  },
  FOX: {
    draw: drawFox,
    drawnHeight: 200,
    size: 330,
    centreOffset: 27,
    castsShadow: true,
    position: nearFoot,
  },
  CAT: {
    draw: drawCat,
    drawnHeight: 186,
    size: 270,
    centreOffset: 24,
    castsShadow: true,
    position: nearFoot,
  },
  BIRDS: {
    draw: drawBirds,
    drawnHeight: 200,
    size: 200,
    centreOffset: 0,
    castsShadow: false,
    position: ({ horizon }, _, __, x) => ({ x, y: horizon * 0.36 }),
  },
}

export function placeSubjects(layout: Layout, groundAt: GroundLine): string {
  const random = layout.random('subjects')
  const free = layout.sun.x > layout.width / 2 ? 1 / 3 : 2 / 3
  return layout.scene.subjects
    .map((subject) => {
      const chance = random.between(-0.04, 0.04)
      const { position, size, castsShadow } = SUBJECTS[subject]
      const foot = position(
        layout,
        groundAt,
        layout.width * (free + chance),
        layout.width * (1 - free + chance),
      )
      return (castsShadow ? shadow(layout, foot, size) : '') + drawSubject(layout, subject, foot, size)
    })
    .join('')
}

function drawSubject(layout: Layout, subject: Subject, foot: Point, size: number): string {
  const { draw, drawnHeight } = SUBJECTS[subject]
  const scale = Math.round((size / drawnHeight) * 1000) / 1000
  return `<g transform="translate(${round(foot.x)} ${round(foot.y)}) scale(${scale})">${draw(layout)}</g>`
}

/** Its middle, not its foot, is above `foot`. */
export function drawIsolated(layout: Layout, subject: Subject, foot: Point, size: number): string {
  const { drawnHeight, centreOffset } = SUBJECTS[subject]
  return drawSubject(layout, subject, { x: foot.x - (centreOffset * size) / drawnHeight, y: foot.y }, size)
}

function nearFoot({ height }: Layout, groundAt: GroundLine, x: number): Point {
  return { x, y: Math.min(height * 0.955, groundAt(x) + 24) }
}

function shadow(layout: Layout, foot: Point, size: number): string {
  return `<ellipse cx="${round(foot.x + size * 0.12)}" cy="${round(foot.y)}" rx="${round(size * 0.42)}" ry="${round(size * 0.045)}" fill="${layout.palette.sky[0]}" fill-opacity="0.4"/>`
}
