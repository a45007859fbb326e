import { mix } from './colour.ts'
import { skyColourAt } from './palette.ts'
import type { Layout } from './layout.ts'
import { ellipsePath, linearGradient, mergeMarks, round, type Mark } from './svg.ts'

export function paintWater(layout: Layout, top: number): string {
  const { palette, width, height } = layout
  const deep = mix(palette.sky[0], palette.ground, layout.scene.weather === 'SNOW' ? 0.05 : 0.45)
  const stops = [
    [0, mix(palette.sky[3], deep, 0.12), 1],
    [0.22, mix(palette.sky[2], deep, 0.32), 1],
    [0.6, mix(palette.sky[1], deep, 0.5), 1],
    [1, deep, 1],
  ] as const
  return `<defs>${linearGradient('water', stops)}</defs>
    <rect y="${round(top)}" width="${width}" height="${round(height - top)}" fill="url(#water)"/>
    ${ripples(layout, top)}${sunReflection(layout, top)}`
}

function ripples(layout: Layout, top: number): string {
  const random = layout.random('ripples')
  const marks: Mark[] = []
  for (let index = 0; index < 420; index++) {
    const depth = random.next() ** 1.5
    const y = top + 2 + depth * (layout.height - top)
    const length = random.between(14, 70) * (0.35 + 2.4 * depth)
    const tone = Math.round(random.between(0.05, 1) * (1 - 0.4 * depth) * 8) / 8
    const x = random.between(-60, layout.width)
    const opacity = random.between(0.1, 0.4) < 0.25 ? 0.17 : 0.32
    marks.push({
      data: `M${round(x)} ${round(y)}q${round(length / 2)} ${round(1.5 + 5 * depth)} ${round(length)} 0`,
      style: `stroke="${skyColourAt(layout.palette, tone)}" stroke-width="${Math.round(1 + 5 * depth)}" stroke-opacity="${opacity}"`,
    })
  }
  return `<g fill="none" stroke-linecap="round">${mergeMarks(marks)}</g>`
}

function sunReflection(layout: Layout, top: number): string {
  const random = layout.random('road')
  const marks: Mark[] = []
  const strength = layout.scene.weather === 'RAIN' || layout.scene.weather === 'MIST' ? 0.35 : 0.85
  for (let index = 0; index < 190; index++) {
    const depth = random.next() ** 1.3
    const spread = layout.sun.radius * (0.7 + 1.9 * depth)
    const x = layout.sun.x + (random.next() + random.next() + random.next() - 1.5) * spread
    const half = random.between(5, 26) * (0.4 + 1.7 * depth)
    const opacity = strength * (1 - 0.65 * depth) * random.between(0.3, 1)
    marks.push({
      data: ellipsePath({ x, y: top + 1 + depth * (layout.height - top) }, half, 0.8 + 2.6 * depth),
      style: `fill-opacity="${Math.max(0.1, round(opacity))}"`,
    })
  }
  return `<g fill="${mix(layout.palette.light, layout.palette.sky[3], 0.15)}">${mergeMarks(marks)}</g>`
}
