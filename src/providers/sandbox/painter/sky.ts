import { mix } from './colour.ts'
import { skyAt } from './palette.ts'
import { fade, glow, round, type Sheet } from './sheet.ts'

/** The sky from edge to edge, with its light, strokes, stars and clouds. */
export function paintSky(sheet: Sheet): string {
  const isNight = sheet.scene.hour === 'NIGHT'
  return [background(sheet), strokes(sheet), isNight ? stars(sheet) : '', light(sheet), clouds(sheet)].join(
    '',
  )
}

function background({ width, height, horizon, palette }: Sheet): string {
  const stops = palette.sky.map((colour, index) => [round((index / 3) * 100) / 100, colour, 1] as const)
  return `<defs>${fade('sky', stops)}</defs><rect width="${width}" height="${round(horizon * 1.06)}" fill="url(#sky)"/>
    <rect y="${round(horizon)}" width="${width}" height="${round(height - horizon)}" fill="${palette.sky[3]}"/>`
}

// Broad, faint strokes of the neighbouring colours: what makes a gradient look painted.
function strokes(sheet: Sheet): string {
  const random = sheet.random('strokes')
  const marks: string[] = []
  for (let index = 0; index < 170; index++) {
    const y = random.between(-20, sheet.horizon * 1.04)
    const x = random.between(-200, sheet.width)
    const length = random.between(120, 460)
    const bend = random.between(-16, 16)
    const colour = skyAt(sheet.palette, y / sheet.horizon + random.between(-0.13, 0.13))
    marks.push(
      `<path d="M${round(x)} ${round(y)}q${round(length / 2)} ${round(bend)} ${round(length)} 0" stroke="${colour}" stroke-width="${round(random.between(5, 26))}" stroke-opacity="${round(random.between(0.1, 0.3) * 10) / 10}"/>`,
    )
  }
  return `<g fill="none" stroke-linecap="round">${marks.join('')}</g>`
}

function stars(sheet: Sheet): string {
  const random = sheet.random('stars')
  const marks: string[] = []
  const count = Math.round((sheet.width * sheet.horizon) / 2600)
  for (let index = 0; index < count; index++) {
    const y = sheet.horizon * random.next() ** 1.4
    const size = random.between(0.5, 1.3) + (random.next() > 0.95 ? 1.2 : 0)
    const opacity = round(random.between(0.3, 1) * (1 - (0.7 * y) / sheet.horizon) * 10) / 10
    marks.push(
      `<circle cx="${round(random.between(0, sheet.width))}" cy="${round(y)}" r="${round(size)}" opacity="${opacity}"/>`,
    )
  }
  return `<g fill="#fffbea">${marks.join('')}</g>`
}

function light({ sun, palette, scene }: Sheet): string {
  const isNight = scene.hour === 'NIGHT'
  const reach = isNight ? 5 : 9
  const core = scene.weather === 'RAIN' ? 0.35 : 1
  const halo: readonly (readonly [number, string, number])[] = [
    [0, palette.light, isNight ? 0.5 : 0.95],
    [0.12, palette.light, isNight ? 0.32 : 0.55],
    [0.4, mix(palette.light, palette.sky[3], 0.5), 0.16],
    [1, palette.sky[3], 0],
  ]
  return `<defs>${glow('halo', halo)}</defs>
    <circle cx="${round(sun.x)}" cy="${round(sun.y)}" r="${round(sun.radius * reach)}" fill="url(#halo)"/>
    <circle cx="${round(sun.x)}" cy="${round(sun.y)}" r="${round(sun.radius)}" fill="${palette.light}" opacity="${core}"/>
    ${isNight ? craters(sun, mix(palette.light, palette.sky[2], 0.35)) : ''}`
}

function craters(moon: Sheet['sun'], colour: string): string {
  const spots = [
    [-0.3, -0.25, 0.26],
    [0.22, 0.1, 0.2],
    [-0.1, 0.42, 0.16],
    [0.34, -0.4, 0.12],
  ] as const
  const marks = spots.map(
    ([x, y, r]) =>
      `<circle cx="${round(moon.x + x * moon.radius)}" cy="${round(moon.y + y * moon.radius)}" r="${round(r * moon.radius)}"/>`,
  )
  return `<g fill="${colour}" opacity="0.45">${marks.join('')}</g>`
}

// Banks of flat ellipses, lit on the side of the light.
function clouds(sheet: Sheet): string {
  const random = sheet.random('clouds')
  const isThick = sheet.scene.weather === 'RAIN' || sheet.scene.weather === 'MIST'
  const banks: string[] = []
  for (let bank = 0; bank < (isThick ? 11 : 6); bank++) {
    const y = sheet.horizon * random.between(0.12, 0.86)
    const x = random.between(-0.1, 1.1) * sheet.width
    const colour = mix(
      skyAt(sheet.palette, y / sheet.horizon + 0.16),
      sheet.palette.light,
      random.between(0.1, 0.4),
    )
    const puffs: string[] = []
    for (let puff = 0; puff < 9; puff++) {
      const width = random.between(60, 210)
      puffs.push(
        `<ellipse cx="${round(x + random.between(-230, 230))}" cy="${round(y + random.between(-13, 13))}" rx="${round(width)}" ry="${round(width * random.between(0.035, 0.085))}"/>`,
      )
    }
    banks.push(`<g fill="${colour}" opacity="${isThick ? 0.22 : 0.2}">${puffs.join('')}</g>`)
  }
  return banks.join('')
}
