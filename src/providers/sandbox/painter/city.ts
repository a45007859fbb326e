import { mix, type Colour } from './colour.ts'
import type { Layout } from './layout.ts'
import { linearGradient, mergeMarks, radialGradient, round } from './svg.ts'

const NEON = ['#ff3d81', '#22e0ff', '#ffb02e', '#9a5cff', '#3dffb0', '#ff5c3d']

export function paintCity(layout: Layout): string {
  const rows = [0, 1, 2].map((row) => towers(layout, row)).join('')
  const isDark = layout.scene.timeOfDay !== 'DAY'
  return `${isDark ? skyglow(layout) : ''}${rows}${paintRoad(layout)}${isDark ? signs(layout) : ''}`
}

function streetLevel(layout: Layout): number {
  return layout.height * 0.78
}

function skyglow(layout: Layout): string {
  const stops = [
    [0, '#ff5f9a', 0.55],
    [0.5, '#8a4dff', 0.2],
    [1, '#8a4dff', 0],
  ] as const
  return `<defs>${radialGradient('skyglow', stops)}</defs><ellipse cx="${round(layout.sun.x)}" cy="${round(streetLevel(layout) - 60)}" rx="${round(layout.width * 0.7)}" ry="${round(layout.height * 0.5)}" fill="url(#skyglow)"/>`
}

function towers(layout: Layout, row: number): string {
  const random = layout.random(`towers${row}`)
  const base = mix(layout.palette.haze, mix(layout.palette.ground, '#0b0f22', 0.5), 0.2 + 0.38 * row)
  const floor = streetLevel(layout)
  const marks: string[] = []
  for (let x = random.between(-60, 0); x < layout.width;) {
    const breadth = random.between(46, 110) * (1 + row * 0.25)
    // Low in the middle of the nearest row: opens the street.
    const open = row === 2 ? 0.25 + 1.5 * Math.abs(x / layout.width - 0.5) : 1
    const tall = (layout.height * random.between(0.2, 0.5) * (1 - row * 0.06) + row * 26) * Math.min(1, open)
    const colour = mix(base, layout.palette.light, random.between(0, 0.07))
    marks.push(
      `<rect x="${round(x)}" y="${round(floor - tall)}" width="${round(breadth)}" height="${round(tall)}" fill="${colour}"/>`,
    )
    marks.push(
      roof(random, colour, { x, y: floor - tall, breadth }),
      windows(layout, random, { x, y: floor - tall, breadth, tall, row }),
    )
    x += breadth * random.between(0.86, 1.12)
  }
  return marks.join('')
}

function roof(
  random: ReturnType<Layout['random']>,
  colour: Colour,
  top: { x: number; y: number; breadth: number },
): string {
  const kind = random.next()
  if (kind < 0.35) {
    const inset = top.breadth * 0.22
    return `<rect x="${round(top.x + inset)}" y="${round(top.y - 26)}" width="${round(top.breadth - 2 * inset)}" height="28" fill="${colour}"/>`
  }
  if (kind > 0.72) {
    return `<path d="M${round(top.x + top.breadth / 2)} ${round(top.y)}v-64" stroke="${colour}" stroke-width="4"/>`
  }
  return ''
}

interface Facade {
  x: number
  y: number
  breadth: number
  tall: number
  row: number
}

function windows(layout: Layout, random: ReturnType<Layout['random']>, facade: Facade): string {
  const isDark = layout.scene.timeOfDay !== 'DAY'
  const step = 11 + facade.row * 4
  const lit = random.between(0.15, 0.55)
  const colour = isDark
    ? random.pick(['#ffd98a', '#ffe9b8', '#8fd8ff', '#ffb38a'])
    : mix(layout.palette.sky[0], '#ffffff', 0.25)
  const panes: string[] = []
  for (let y = facade.y + step; y < facade.y + facade.tall - step; y += step * 1.35) {
    for (let x = facade.x + step * 0.7; x < facade.x + facade.breadth - step; x += step) {
      if (random.next() < lit)
        panes.push(
          `M${round(x)} ${round(y)}h${round(step * 0.5)}v${round(step * 0.7)}h${round(-step * 0.5)}z`,
        )
    }
  }
  return `<path d="${panes.join('')}" fill="${colour}" fill-opacity="${round((isDark ? 0.42 : 0.25) * 10 + facade.row * 1.6) / 10}"/>`
}

function paintRoad(layout: Layout): string {
  const random = layout.random('streaks')
  const top = streetLevel(layout)
  const dark = mix(layout.palette.ground, '#0a0d1c', 0.6)
  const isDark = layout.scene.timeOfDay !== 'DAY'
  const colours = isDark
    ? [...NEON, '#ffd98a', '#ffe9b8', '#ffd98a']
    : [layout.palette.sky[3], layout.palette.sky[2]]
  const streaks: string[] = []
  for (let index = 0; index < layout.width * 0.13; index++) {
    const colour =
      random.next() < 0.5
        ? random.pick(colours)
        : mix(layout.palette.sky[3], layout.palette.light, random.next())
    const breadth = random.between(3, 15)
    const tall = random.between(0.25, 1) * (layout.height - top)
    streaks.push(
      `<rect x="${round(random.between(0, layout.width))}" y="${round(top)}" width="${round(breadth)}" height="${round(tall)}" rx="${round(breadth / 2)}" fill="${colour}" fill-opacity="${round(random.between(0.06, 0.3) * 100) / 100}"/>`,
    )
  }
  const ripples = Array.from({ length: Math.round(layout.width * 0.3) }, () => {
    const depth = random.next() ** 1.3
    const y = top + 3 + depth * (layout.height - top)
    const [x, length] = [random.between(-90, layout.width), random.between(24, 130) * (0.4 + 1.6 * depth)]
    return {
      data: `M${round(x)} ${round(y)}h${round(length)}`,
      style: `stroke-width="${Math.round(1.4 + 6 * depth)}"`,
    }
  })
  const gloom = [
    [0, dark, 0],
    [1, dark, 0.9],
  ] as const
  return `<defs>${linearGradient('gloom', gloom)}</defs><rect y="${round(top)}" width="${layout.width}" height="${round(layout.height - top)}" fill="${mix(dark, layout.palette.sky[2], 0.18)}"/>
    ${streaks.join('')}<rect y="${round(top)}" width="${layout.width}" height="${round(layout.height - top)}" fill="url(#gloom)"/>
    <g stroke="${dark}" stroke-linecap="round" stroke-opacity="0.42">${mergeMarks(ripples)}</g>
    <path d="M0 ${round(top)}H${layout.width}" stroke="${mix(dark, '#ffffff', 0.12)}" stroke-width="5"/>`
}

function signs(layout: Layout): string {
  const random = layout.random('signs')
  const floor = streetLevel(layout)
  const marks: string[] = []
  const count = Math.round(layout.width / 105)
  for (let index = 0; index < count; index++) {
    const colour = random.pick(NEON)
    const [wide, tall] = random.pick([
      [14, 92],
      [18, 120],
      [52, 18],
      [44, 44],
      [64, 14],
    ] as const)
    // One column each: no overlap.
    const x = ((index + random.between(0, 0.5)) / count) * layout.width
    const y = floor - tall - random.between(8, 0.26 * layout.height)
    const stops = [
      [0, colour, 0.5],
      [1, colour, 0],
    ] as const
    const image = [
      [0, mix(colour, '#ffffff', 0.3), 0.5],
      [0.4, colour, 0.3],
      [1, colour, 0],
    ] as const
    marks.push(`<defs>${radialGradient(`neon${index}`, stops)}${linearGradient(`image${index}`, image)}</defs>
      <ellipse cx="${round(x + wide / 2)}" cy="${round(y + tall / 2)}" rx="${wide + 70}" ry="${tall + 60}" fill="url(#neon${index})"/>
      <rect x="${round(x)}" y="${round(y)}" width="${wide}" height="${tall}" rx="5" fill="none" stroke="${colour}" stroke-width="4"/>
      <rect x="${round(x + 5)}" y="${round(y + 5)}" width="${wide - 10}" height="${Math.max(3, tall - 10)}" rx="3" fill="${mix(colour, '#ffffff', 0.55)}" fill-opacity="0.8"/>
      <rect x="${round(x)}" y="${round(floor)}" width="${wide}" height="${round(0.95 * (layout.height - floor))}" fill="url(#image${index})"/>`)
  }
  return marks.join('')
}
