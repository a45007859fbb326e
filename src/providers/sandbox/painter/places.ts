// Landscapes, each painted from far to near. Each returns the ground line that subjects stand on.
import { paintAbstract } from './abstract.ts'
import { paintCity } from './city.ts'
import { mix } from './colour.ts'
import { crestAt, paintPines, paintRidge, paintStrata, raiseRidge, type RidgeShape } from './land.ts'
import { paintFlowers, paintTufts } from './plants.ts'
import type { Scene } from './scene.ts'
import type { Sheet } from './sheet.ts'
import { paintWater } from './water.ts'
import { paintMist } from './weather.ts'

/** What was painted, and where a subject can stand: height of the ground at `x`, in units from the top. */
export interface Place {
  svg: string
  groundAt: (x: number) => number
}

const PLACES: Readonly<Record<Scene['place'], (sheet: Sheet) => Place>> = {
  MOUNTAINS: mountains,
  SEA: sea,
  FOREST: forest,
  DESERT: desert,
  MEADOW: meadow,
  CITY: (sheet) => ({ svg: paintCity(sheet), groundAt: () => sheet.height * 0.9 }),
  ABSTRACT: (sheet) => ({ svg: paintAbstract(sheet), groundAt: () => sheet.height * 0.86 }),
}

/** The land of the sheet's scene, below its sky. */
export function paintPlace(sheet: Sheet): Place {
  return PLACES[sheet.scene.place](sheet)
}

function mountains(sheet: Sheet): Place {
  const { horizon, height } = sheet
  const far: RidgeShape[] = [
    { base: horizon * 0.86, relief: 150, span: 360, form: 'PEAKS', nearness: 0.06 },
    { base: horizon * 0.99, relief: 120, span: 300, form: 'PEAKS', nearness: 0.22 },
    { base: horizon * 1.1, relief: 62, span: 260, form: 'HILLS', nearness: 0.42 },
  ]
  const folds = far.map((shape, index) => {
    const ridge = raiseRidge(sheet, `ridge${index}`, shape)
    const pines = index === 2 ? paintPines(sheet, ridge, { tall: 44, gap: 9 }) : ''
    return pines + paintRidge(sheet, ridge) + paintMist(sheet, `mist${index}`, shape.base + 90, 150)
  })
  const near = nearGround(sheet, { base: height * 0.84, relief: 36, span: 520, form: 'HILLS', nearness: 0.8 })
  return { svg: folds.join('') + near.svg, groundAt: near.groundAt }
}

// A wooded fold and, before it, the open ground at the painter's feet.
function nearGround(sheet: Sheet, shape: RidgeShape): Place {
  const wooded = raiseRidge(sheet, 'wooded', { ...shape, base: shape.base - 62, nearness: 0.66 })
  const ground = raiseRidge(sheet, 'ground', { ...shape, nearness: 1 })
  const pines = paintPines(sheet, wooded, { tall: 118, gap: 26 })
  return {
    svg:
      pines +
      paintRidge(sheet, wooded) +
      paintRidge(sheet, ground) +
      paintTufts(sheet, (x) => crestAt(ground, x)),
    groundAt: (x) => crestAt(ground, x) + 46,
  }
}

function sea(sheet: Sheet): Place {
  const { horizon, width, height, sun } = sheet
  const isles = raiseRidge(sheet, 'isles', {
    base: horizon + 8,
    relief: 46,
    span: 240,
    form: 'HILLS',
    nearness: 0.2,
  })
  // The headland rises on the side away from the light, so that both have room.
  const isLeft = sun.x > width / 2
  const edge = (x: number) => (isLeft ? x : width - x)
  const slope = raiseRidge(sheet, 'slope', { base: 0, relief: 46, span: 150, form: 'PEAKS', nearness: 0.9 })
  const groundAt = (x: number) => {
    const fall = Math.max(0, edge(x) / (width * 0.46))
    // Level where a lighthouse can stand, rough where the sea has been at it.
    const rough = crestAt(slope, x) * Math.min(1, 0.12 + Math.max(0, fall - 0.55) * 2.2)
    return horizon + 46 + rough + (height - horizon) * 0.86 * fall ** 2.6
  }
  const crest = slope.crest.map(({ x }) => ({ x, y: groundAt(x) }))
  return {
    svg: [
      paintRidge(sheet, isles),
      paintWater(sheet, horizon),
      paintMist(sheet, 'seamist', horizon, 60),
      paintRidge(sheet, { ...slope, crest }),
      paintStrata(sheet, crest),
      paintTufts(sheet, groundAt),
    ].join(''),
    groundAt,
  }
}

function forest(sheet: Sheet): Place {
  const { horizon, height } = sheet
  const rows = [0, 1, 2, 3].map((row) => {
    const shape: RidgeShape = {
      base: horizon * (0.86 + row * 0.13),
      relief: 52,
      span: 330,
      form: 'HILLS',
      nearness: 0.1 + row * 0.22,
    }
    const ridge = raiseRidge(sheet, `row${row}`, shape)
    return (
      paintPines(sheet, ridge, { tall: 90 + row * 52, gap: 15 + row * 8 }) +
      paintRidge(sheet, ridge) +
      paintMist(sheet, `woodmist${row}`, shape.base + 20, 190)
    )
  })
  const near = nearGround(sheet, { base: height * 0.86, relief: 26, span: 460, form: 'HILLS', nearness: 1 })
  return { svg: rows.join('') + near.svg, groundAt: near.groundAt }
}

function desert(sheet: Sheet): Place {
  const sand = mix(sheet.palette.sky[2], '#e0a05a', 0.5)
  const warm: Sheet = {
    ...sheet,
    palette: {
      ...sheet.palette,
      ground: mix(sand, sheet.palette.ground, 0.42),
      haze: mix(sand, sheet.palette.sky[3], 0.4),
    },
  }
  const folds = [0, 1, 2, 3, 4].map((fold) => {
    const base = sheet.horizon * (0.98 + fold * 0.13)
    const shape: RidgeShape = {
      base,
      relief: 26 + fold * 15,
      span: 260 + fold * 110,
      form: 'HILLS',
      nearness: fold / 4,
    }
    const ridge = raiseRidge(warm, `dune${fold}`, shape)
    return { svg: paintRidge(warm, ridge), ridge }
  })
  const near = folds[4]
  return {
    svg: folds.map((fold) => fold.svg).join(''),
    groundAt: (x) => (near ? crestAt(near.ridge, x) : sheet.height * 0.85) + 40,
  }
}

function meadow(sheet: Sheet): Place {
  const { horizon, height, palette } = sheet
  const grass = sheet.scene.weather === 'SNOW' ? palette.ground : mix(palette.ground, '#5f8f3e', 0.34)
  const green: Sheet = { ...sheet, palette: { ...palette, ground: grass } }
  const far = raiseRidge(sheet, 'far', {
    base: horizon * 0.93,
    relief: 70,
    span: 380,
    form: 'HILLS',
    nearness: 0.12,
  })
  const middle = raiseRidge(green, 'middle', {
    base: horizon * 1.06,
    relief: 52,
    span: 330,
    form: 'HILLS',
    nearness: 0.45,
  })
  const near = raiseRidge(green, 'near', {
    base: height * 0.78,
    relief: 34,
    span: 480,
    form: 'HILLS',
    nearness: 0.85,
  })
  const groundAt = (x: number) => crestAt(near, x)
  return {
    svg: [
      paintRidge(sheet, far),
      paintPines(green, middle, { tall: 50, gap: 30 }),
      paintRidge(green, middle),
      paintMist(sheet, 'dew', horizon * 1.1, 120),
      paintRidge(green, near),
      paintTufts(green, groundAt),
      paintFlowers(green, groundAt),
    ].join(''),
    groundAt: (x) => groundAt(x) + 40,
  }
}
