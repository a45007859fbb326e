// Who or what the picture is of: how tall it is drawn, and where it stands. By thirds: on the side that the light
// leaves free.
import { drawBirds, drawCat, drawFox } from './animals.ts'
import type { Place } from './places.ts'
import type { Subject } from './scene.ts'
import { round, type Point, type Sheet } from './sheet.ts'
import { drawBalloon, drawBoat, drawCabin, drawLighthouse, drawTree } from './things.ts'

interface Craft {
  draw: (sheet: Sheet) => string
  /** Height of the drawing in its own units. */
  tall: number
  /** Height on the sheet. */
  size: number
  /** How far to the right of the foot the middle of the drawing lies, in its own units. */
  middle: number
  castsShadow: boolean
  /** Where its foot is. `side` is a column that the light leaves free, `other` the one below the light. */
  spot: (sheet: Sheet, place: Place, side: number, other: number) => Point
}

const SUBJECTS: Readonly<Record<Subject, Craft>> = {
  LIGHTHOUSE: {
    draw: drawLighthouse,
    tall: 430,
    size: 430,
    middle: 0,
    castsShadow: false,
    spot: ({ width, sun }, place) => {
      const x = width * (sun.x > width / 2 ? 0.21 : 0.79)
      return { x, y: place.groundAt(x) + 14 }
    },
  },
  CABIN: {
    draw: drawCabin,
    tall: 160,
    size: 170,
    middle: 6,
    castsShadow: true,
    spot: (_, place, __, x) => ({ x, y: place.groundAt(x) + 6 }),
  },
  TREE: {
    draw: drawTree,
    tall: 290,
    size: 430,
    middle: 0,
    castsShadow: true,
    spot: (_, place, __, x) => ({ x, y: place.groundAt(x) + 6 }),
  },
  BOAT: {
    draw: drawBoat,
    tall: 180,
    size: 170,
    middle: 3,
    castsShadow: false,
    spot: ({ height, horizon }, _, __, x) => ({ x, y: horizon + (height - horizon) * 0.34 }),
  },
  BALLOON: {
    draw: drawBalloon,
    tall: 264,
    size: 250,
    middle: 0,
    castsShadow: false,
    spot: ({ horizon }, _, x) => ({ x, y: horizon * 0.66 }),
  },
  FOX: { draw: drawFox, tall: 200, size: 330, middle: 27, castsShadow: true, spot: nearFoot },
  CAT: { draw: drawCat, tall: 186, size: 270, middle: 24, castsShadow: true, spot: nearFoot },
  BIRDS: {
    draw: drawBirds,
    tall: 200,
    size: 200,
    middle: 0,
    castsShadow: false,
    spot: ({ horizon }, _, __, x) => ({ x, y: horizon * 0.36 }),
  },
}

/** Every subject of the scene, in its place. */
export function placeSubjects(sheet: Sheet, place: Place): string {
  const random = sheet.random('subjects')
  const free = sheet.sun.x > sheet.width / 2 ? 1 / 3 : 2 / 3
  return sheet.scene.subjects
    .map((subject) => {
      const chance = random.between(-0.04, 0.04)
      const { spot, size, castsShadow } = SUBJECTS[subject]
      const foot = spot(sheet, place, sheet.width * (free + chance), sheet.width * (1 - free + chance))
      return (castsShadow ? shadow(sheet, foot, size) : '') + drawSubject(sheet, subject, foot, size)
    })
    .join('')
}

function drawSubject(sheet: Sheet, subject: Subject, foot: Point, size: number): string {
  const { draw, tall } = SUBJECTS[subject]
  const scale = Math.round((size / tall) * 1000) / 1000
  return `<g transform="translate(${round(foot.x)} ${round(foot.y)}) scale(${scale})">${draw(sheet)}</g>`
}

/** One subject by itself: the middle of the drawing, which need not be its foot, comes above the point. */
export function drawAlone(sheet: Sheet, subject: Subject, foot: Point, size: number): string {
  const { tall, middle } = SUBJECTS[subject]
  return drawSubject(sheet, subject, { x: foot.x - (middle * size) / tall, y: foot.y }, size)
}

function nearFoot({ height }: Sheet, place: Place, x: number): Point {
  return { x, y: Math.min(height * 0.955, place.groundAt(x) + 24) }
}

function shadow(sheet: Sheet, foot: Point, size: number): string {
  return `<ellipse cx="${round(foot.x + size * 0.12)}" cy="${round(foot.y)}" rx="${round(size * 0.42)}" ry="${round(size * 0.045)}" fill="${sheet.palette.sky[0]}" opacity="0.4"/>`
}
