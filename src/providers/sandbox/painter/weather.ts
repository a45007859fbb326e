import { mix } from './colour.ts'
import { fade, glow, round, type Sheet } from './sheet.ts'

/** What falls between the painter and the picture: flakes or streaks, else nothing. */
export function paintWeather(sheet: Sheet): string {
  if (sheet.scene.weather === 'SNOW') return flakes(sheet)
  return sheet.scene.weather === 'RAIN' ? rain(sheet) : ''
}

function flakes(sheet: Sheet): string {
  const random = sheet.random('flakes')
  const marks: string[] = []
  const count = Math.round((sheet.width * sheet.height) / 3600)
  for (let index = 0; index < count; index++) {
    // Few are near and large, many are far and small.
    const size = 1.1 + 5.2 * random.next() ** 6
    const [x, y] = [random.between(0, sheet.width), random.between(0, sheet.height)]
    const opacity = round(random.between(0.35, 0.9) * (size > 4 ? 0.6 : 1) * 10) / 10
    marks.push(`<circle cx="${round(x)}" cy="${round(y)}" r="${round(size)}" opacity="${opacity}"/>`)
  }
  return `<g fill="#ffffff">${marks.join('')}</g>`
}

function rain(sheet: Sheet): string {
  const random = sheet.random('rain')
  const marks: string[] = []
  const count = Math.round((sheet.width * sheet.height) / 3400)
  for (let index = 0; index < count; index++) {
    const length = random.between(14, 60)
    const [x, y] = [random.between(0, sheet.width + 40), random.between(-40, sheet.height)]
    marks.push(`M${round(x)} ${round(y)}l${round(-length * 0.16)} ${round(length)}`)
  }
  const colour = mix(sheet.palette.sky[3], '#ffffff', 0.55)
  return `<path d="${marks.join('')}" stroke="${colour}" stroke-width="1.1" stroke-opacity="0.26" fill="none"/>`
}

/** A bank of mist around one height. Ids must differ. */
export function paintMist(sheet: Sheet, id: string, y: number, thickness: number): string {
  const colour = mix(sheet.palette.sky[3], sheet.palette.haze, 0.3)
  const strength = sheet.scene.weather === 'MIST' ? 0.85 : 0.5
  const stops = [
    [0, colour, 0],
    [0.5, colour, strength],
    [1, colour, 0],
  ] as const
  return `<defs>${fade(id, stops)}</defs><rect y="${round(y - thickness / 2)}" width="${sheet.width}" height="${round(thickness)}" fill="url(#${id})"/>`
}

/** The falling-off of light that an old lens has. */
export function paintVignette({ width, height, palette }: Sheet): string {
  const shade = mix(palette.sky[0], '#05060c', 0.75)
  const stops = [
    [0, shade, 0],
    [0.62, shade, 0],
    [1, shade, 0.42],
  ] as const
  return `<defs>${glow('vignette', stops)}</defs><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.78}" ry="${height * 0.78}" fill="url(#vignette)"/>`
}
