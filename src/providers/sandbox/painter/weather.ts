import { mix } from './colour.ts'
import type { Layout } from './layout.ts'
import { dot, linearGradient, mergeMarks, round, type Mark } from './svg.ts'

export function paintWeather(layout: Layout): string {
  if (layout.scene.weather === 'SNOW') return flakes(layout)
  return layout.scene.weather === 'RAIN' ? rain(layout) : ''
}

function flakes(layout: Layout): string {
  const random = layout.random('flakes')
  const marks: Mark[] = []
  const count = Math.round((layout.width * layout.height) / 3600)
  for (let index = 0; index < count; index++) {
    // Mostly small.
    const radius = 1.1 + 5.2 * random.next() ** 6
    const [x, y] = [random.between(0, layout.width), random.between(0, layout.height)]
    const opacity = random.between(0.35, 0.9) * (radius > 4 ? 0.6 : 1)
    marks.push(dot({ x, y }, radius, opacity))
  }
  return `<g stroke="#ffffff" stroke-linecap="round">${mergeMarks(marks)}</g>`
}

function rain(layout: Layout): string {
  const random = layout.random('rain')
  const marks: string[] = []
  const count = Math.round((layout.width * layout.height) / 3400)
  for (let index = 0; index < count; index++) {
    const length = random.between(14, 60)
    const [x, y] = [random.between(0, layout.width + 40), random.between(-40, layout.height)]
    marks.push(`M${round(x)} ${round(y)}l${round(-length * 0.16)} ${round(length)}`)
  }
  const colour = mix(layout.palette.sky[3], '#ffffff', 0.55)
  return `<path d="${marks.join('')}" stroke="${colour}" stroke-width="1.1" stroke-opacity="0.26" fill="none"/>`
}

/** `id` is unique in the picture. */
export function paintMist(layout: Layout, id: string, y: number, thickness: number): string {
  const colour = mix(layout.palette.sky[3], layout.palette.haze, 0.3)
  const strength = layout.scene.weather === 'MIST' ? 0.85 : 0.5
  const stops = [
    [0, colour, 0],
    [0.5, colour, strength],
    [1, colour, 0],
  ] as const
  return `<defs>${linearGradient(id, stops)}</defs><rect y="${round(y - thickness / 2)}" width="${layout.width}" height="${round(thickness)}" fill="url(#${id})"/>`
}
