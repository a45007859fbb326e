import { mix } from './colour.ts'
import { skyColourAt } from './palette.ts'
import type { Layout } from './layout.ts'
import {
  FAINT_EDGES,
  dot,
  ellipsePath,
  linearGradient,
  mergeMarks,
  radialGradient,
  round,
  type GradientStop,
  type Mark,
} from './svg.ts'

export function paintSky(layout: Layout): string {
  const isNight = layout.scene.timeOfDay === 'NIGHT'
  return [
    background(layout),
    strokes(layout),
    isNight ? stars(layout) : '',
    light(layout),
    clouds(layout),
  ].join('')
}

function background({ width, height, horizon, palette }: Layout): string {
  const stops = palette.sky.map((colour, index) => [round((index / 3) * 100) / 100, colour, 1] as const)
  return `<defs>${linearGradient('sky', stops)}</defs><rect width="${width}" height="${round(horizon * 1.06)}" fill="url(#sky)"/>
    <rect y="${round(horizon)}" width="${width}" height="${round(height - horizon)}" fill="${palette.sky[3]}"/>`
}

function strokes(layout: Layout): string {
  const random = layout.random('strokes')
  const marks: string[] = []
  for (let index = 0; index < 170; index++) {
    const y = random.between(-20, layout.horizon * 1.04)
    const x = random.between(-200, layout.width)
    const length = random.between(120, 460)
    const bend = random.between(-16, 16)
    const colour = skyColourAt(layout.palette, y / layout.horizon + random.between(-0.13, 0.13))
    marks.push(
      `<path d="M${round(x)} ${round(y)}q${round(length / 2)} ${round(bend)} ${round(length)} 0" stroke="${colour}" stroke-width="${round(random.between(5, 26))}" stroke-opacity="${round(random.between(0.1, 0.3) * 10) / 10}"/>`,
    )
  }
  return `<g fill="none" stroke-linecap="round" ${FAINT_EDGES}>${marks.join('')}</g>`
}

function stars(layout: Layout): string {
  const random = layout.random('stars')
  const marks: Mark[] = []
  const count = Math.round((layout.width * layout.horizon) / 2600)
  for (let index = 0; index < count; index++) {
    const y = layout.horizon * random.next() ** 1.4
    const radius = random.between(0.5, 1.3) + (random.next() > 0.95 ? 1.2 : 0)
    const opacity = random.between(0.3, 1) * (1 - (0.7 * y) / layout.horizon)
    marks.push(dot({ x: random.between(0, layout.width), y }, radius, opacity))
  }
  return `<g stroke="#fffbea" stroke-linecap="round">${mergeMarks(marks)}</g>`
}

function light({ sun, palette, scene }: Layout): string {
  const isNight = scene.timeOfDay === 'NIGHT'
  const reach = isNight ? 5 : 7
  const core = scene.weather === 'RAIN' ? 0.35 : 1
  const halo: GradientStop[] = [
    [0, palette.light, isNight ? 0.5 : 0.95],
    [isNight ? 0.12 : 0.15, palette.light, isNight ? 0.32 : 0.55],
    [isNight ? 0.4 : 0.5, mix(palette.light, palette.sky[3], 0.5), 0.16],
    [1, palette.sky[3], 0],
  ]
  return `<defs>${radialGradient('halo', halo)}</defs>
    <circle cx="${round(sun.x)}" cy="${round(sun.y)}" r="${round(sun.radius * reach)}" fill="url(#halo)"/>
    <circle cx="${round(sun.x)}" cy="${round(sun.y)}" r="${round(sun.radius)}" fill="${palette.light}" fill-opacity="${core}"/>
    ${isNight ? craters(sun, mix(palette.light, palette.sky[2], 0.35)) : ''}`
}

function craters(moon: Layout['sun'], colour: string): string {
  const spots = [
    [-0.3, -0.25, 0.26],
    [0.22, 0.1, 0.2],
    [-0.1, 0.42, 0.16],
    [0.34, -0.4, 0.12],
  ] as const
  const marks = spots.map(([x, y, r]) => {
    const radius = r * moon.radius
    return ellipsePath({ x: moon.x + x * moon.radius, y: moon.y + y * moon.radius }, radius, radius)
  })
  return `<path d="${marks.join('')}" fill="${colour}" fill-opacity="0.45"/>`
}

function clouds(layout: Layout): string {
  const random = layout.random('clouds')
  const isThick = layout.scene.weather === 'RAIN' || layout.scene.weather === 'MIST'
  const banks: string[] = []
  for (let bank = 0; bank < (isThick ? 11 : 6); bank++) {
    const y = layout.horizon * random.between(0.12, 0.86)
    const x = random.between(-0.1, 1.1) * layout.width
    const colour = mix(
      skyColourAt(layout.palette, y / layout.horizon + 0.16),
      layout.palette.light,
      random.between(0.1, 0.4),
    )
    const puffs: string[] = []
    for (let puff = 0; puff < 9; puff++) {
      const width = random.between(60, 210)
      const centre = { x: x + random.between(-230, 230), y: y + random.between(-13, 13) }
      puffs.push(ellipsePath(centre, width, width * random.between(0.035, 0.085)))
    }
    banks.push(`<path d="${puffs.join('')}" fill="${colour}" fill-opacity="${isThick ? 0.22 : 0.2}"/>`)
  }
  return banks.join('')
}
