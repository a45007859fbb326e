import { mix } from './colour.ts'
import { skyAt } from './palette.ts'
import { fade, round, type Sheet } from './sheet.ts'

/** Water from `top` to the lower edge: the sky turned over, ripples, and the road of light below the sun. */
export function paintWater(sheet: Sheet, top: number): string {
  const { palette, width, height } = sheet
  const deep = mix(palette.sky[0], palette.ground, sheet.scene.weather === 'SNOW' ? 0.05 : 0.45)
  const stops = [
    [0, mix(palette.sky[3], deep, 0.12), 1],
    [0.22, mix(palette.sky[2], deep, 0.32), 1],
    [0.6, mix(palette.sky[1], deep, 0.5), 1],
    [1, deep, 1],
  ] as const
  return `<defs>${fade('water', stops)}</defs>
    <rect y="${round(top)}" width="${width}" height="${round(height - top)}" fill="url(#water)"/>
    ${ripples(sheet, top)}${roadOfLight(sheet, top)}`
}

function ripples(sheet: Sheet, top: number): string {
  const random = sheet.random('ripples')
  const marks: string[] = []
  for (let index = 0; index < 420; index++) {
    const depth = random.next() ** 1.5
    const y = top + 2 + depth * (sheet.height - top)
    const length = random.between(14, 70) * (0.35 + 2.4 * depth)
    const colour = skyAt(sheet.palette, random.between(0.05, 1) * (1 - 0.4 * depth))
    const x = random.between(-60, sheet.width)
    const opacity = round(random.between(0.1, 0.4) * 10) / 10
    marks.push(
      `<path d="M${round(x)} ${round(y)}q${round(length / 2)} ${round(1.5 + 5 * depth)} ${round(length)} 0" stroke="${colour}" stroke-width="${round(1 + 5 * depth)}" stroke-opacity="${opacity}"/>`,
    )
  }
  return `<g fill="none" stroke-linecap="round">${marks.join('')}</g>`
}

function roadOfLight(sheet: Sheet, top: number): string {
  const random = sheet.random('road')
  const marks: string[] = []
  const strength = sheet.scene.weather === 'RAIN' || sheet.scene.weather === 'MIST' ? 0.35 : 0.85
  for (let index = 0; index < 190; index++) {
    const depth = random.next() ** 1.3
    const spread = sheet.sun.radius * (0.7 + 1.9 * depth)
    const x = sheet.sun.x + (random.next() + random.next() + random.next() - 1.5) * spread
    const half = random.between(5, 26) * (0.4 + 1.7 * depth)
    const opacity = round(strength * (1 - 0.65 * depth) * random.between(0.3, 1) * 100) / 100
    marks.push(
      `<ellipse cx="${round(x)}" cy="${round(top + 1 + depth * (sheet.height - top))}" rx="${round(half)}" ry="${round(0.8 + 2.6 * depth)}" opacity="${opacity}"/>`,
    )
  }
  return `<g fill="${mix(sheet.palette.light, sheet.palette.sky[3], 0.15)}">${marks.join('')}</g>`
}
