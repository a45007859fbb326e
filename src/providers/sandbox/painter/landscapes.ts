// From far to near.
import { paintAbstract } from './abstract.ts'
import { paintCity } from './city.ts'
import { mix } from './colour.ts'
import { crestAt, paintPines, paintRidge, paintStrata, createRidge, type RidgeShape } from './terrain.ts'
import { paintFlowers, paintTufts } from './plants.ts'
import type { LandscapeKind } from './scene.ts'
import type { Layout } from './layout.ts'
import { paintWater } from './water.ts'
import { paintMist } from './weather.ts'

/** Units from the top. */
export type GroundLine = (x: number) => number

export interface Landscape {
  svg: string
  /** Subjects stand on it. */
  groundAt: GroundLine
}

const LANDSCAPES: Readonly<Record<LandscapeKind, (layout: Layout) => Landscape>> = {
  MOUNTAINS: mountains,
  SEA: sea,
  FOREST: forest,
  DESERT: desert,
  MEADOW: meadow,
  CITY: (layout) => ({ svg: paintCity(layout), groundAt: () => layout.height * 0.9 }),
  ABSTRACT: (layout) => ({ svg: paintAbstract(layout), groundAt: () => layout.height * 0.86 }),
}

/** Without sky. */
export function paintLandscape(layout: Layout): Landscape {
  return LANDSCAPES[layout.scene.landscape](layout)
}

function mountains(layout: Layout): Landscape {
  const { horizon, height } = layout
  const far: RidgeShape[] = [
    { base: horizon * 0.86, relief: 150, span: 360, form: 'PEAKS', nearness: 0.06 },
    { base: horizon * 0.99, relief: 120, span: 300, form: 'PEAKS', nearness: 0.22 },
    { base: horizon * 1.1, relief: 62, span: 260, form: 'HILLS', nearness: 0.42 },
  ]
  const folds = far.map((shape, index) => {
    const ridge = createRidge(layout, `ridge${index}`, shape)
    const pines = index === 2 ? paintPines(layout, ridge, { tall: 44, gap: 9 }) : ''
    return pines + paintRidge(layout, ridge) + paintMist(layout, `mist${index}`, shape.base + 90, 150)
  })
  const near = nearGround(layout, {
    base: height * 0.84,
    relief: 36,
    span: 520,
    form: 'HILLS',
    nearness: 0.8,
  })
  return { svg: folds.join('') + near.svg, groundAt: near.groundAt }
}

function nearGround(layout: Layout, shape: RidgeShape): Landscape {
  const wooded = createRidge(layout, 'wooded', { ...shape, base: shape.base - 62, nearness: 0.66 })
  const ground = createRidge(layout, 'ground', { ...shape, nearness: 1 })
  const pines = paintPines(layout, wooded, { tall: 118, gap: 26 })
  return {
    svg:
      pines +
      paintRidge(layout, wooded) +
      paintRidge(layout, ground) +
      paintTufts(layout, (x) => crestAt(ground, x)),
    groundAt: (x) => crestAt(ground, x) + 46,
  }
}

function sea(layout: Layout): Landscape {
  const { horizon, width, height, sun } = layout
  const isles = createRidge(layout, 'isles', {
    base: horizon + 8,
    relief: 46,
    span: 240,
    form: 'HILLS',
    nearness: 0.2,
  })
  // Opposite the sun.
  const isLeft = sun.x > width / 2
  const edge = (x: number) => (isLeft ? x : width - x)
  const slope = createRidge(layout, 'slope', { base: 0, relief: 46, span: 150, form: 'PEAKS', nearness: 0.9 })
  const groundAt = (x: number) => {
    const fall = Math.max(0, edge(x) / (width * 0.46))
    // Level at the lighthouse, rough seawards.
    const rough = crestAt(slope, x) * Math.min(1, 0.12 + Math.max(0, fall - 0.55) * 2.2)
    return horizon + 46 + rough + (height - horizon) * 0.86 * fall ** 2.6
  }
  const crest = slope.crest.map(({ x }) => ({ x, y: groundAt(x) }))
  return {
    svg: [
      paintRidge(layout, isles),
      paintWater(layout, horizon),
      paintMist(layout, 'seamist', horizon, 60),
      paintRidge(layout, { ...slope, crest }),
      paintStrata(layout, crest),
      paintTufts(layout, groundAt),
    ].join(''),
    groundAt,
  }
}

function forest(layout: Layout): Landscape {
  const { horizon, height } = layout
  const rows = [0, 1, 2, 3].map((row) => {
    const shape: RidgeShape = {
      base: horizon * (0.86 + row * 0.13),
      relief: 52,
      span: 330,
      form: 'HILLS',
      nearness: 0.1 + row * 0.22,
    }
    const ridge = createRidge(layout, `row${row}`, shape)
    return (
      paintPines(layout, ridge, { tall: 90 + row * 52, gap: 15 + row * 8 }) +
      paintRidge(layout, ridge) +
      paintMist(layout, `woodmist${row}`, shape.base + 20, 190)
    )
  })
  const near = nearGround(layout, { base: height * 0.86, relief: 26, span: 460, form: 'HILLS', nearness: 1 })
  return { svg: rows.join('') + near.svg, groundAt: near.groundAt }
}

function desert(layout: Layout): Landscape {
  const sand = mix(layout.palette.sky[2], '#e0a05a', 0.5)
  const warm: Layout = {
    ...layout,
    palette: {
      ...layout.palette,
      ground: mix(sand, layout.palette.ground, 0.42),
      haze: mix(sand, layout.palette.sky[3], 0.4),
    },
  }
  const folds = [0, 1, 2, 3, 4].map((fold) => {
    const base = layout.horizon * (0.98 + fold * 0.13)
    const shape: RidgeShape = {
      base,
      relief: 26 + fold * 15,
      span: 260 + fold * 110,
      form: 'HILLS',
      nearness: fold / 4,
    }
    const ridge = createRidge(warm, `dune${fold}`, shape)
    return { svg: paintRidge(warm, ridge), ridge }
  })
  const near = folds[4]
  return {
    svg: folds.map((fold) => fold.svg).join(''),
    groundAt: (x) => (near ? crestAt(near.ridge, x) : layout.height * 0.85) + 40,
  }
}

function meadow(layout: Layout): Landscape {
  const { horizon, height, palette } = layout
  const grass = layout.scene.weather === 'SNOW' ? palette.ground : mix(palette.ground, '#5f8f3e', 0.34)
  const green: Layout = { ...layout, palette: { ...palette, ground: grass } }
  const far = createRidge(layout, 'far', {
    base: horizon * 0.93,
    relief: 70,
    span: 380,
    form: 'HILLS',
    nearness: 0.12,
  })
  const middle = createRidge(green, 'middle', {
    base: horizon * 1.06,
    relief: 52,
    span: 330,
    form: 'HILLS',
    nearness: 0.45,
  })
  const near = createRidge(green, 'near', {
    base: height * 0.78,
    relief: 34,
    span: 480,
    form: 'HILLS',
    nearness: 0.85,
  })
  const groundAt = (x: number) => crestAt(near, x)
  return {
    svg: [
      paintRidge(layout, far),
      paintPines(green, middle, { tall: 50, gap: 30 }),
      paintRidge(green, middle),
      paintMist(layout, 'dew', horizon * 1.1, 120),
      paintRidge(green, near),
      paintTufts(green, groundAt),
      paintFlowers(green, groundAt),
    ].join(''),
    groundAt: (x) => groundAt(x) + 40,
  }
}
