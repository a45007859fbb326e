// At (0, 0), in units.
import { applySceneLight } from './animals.ts'
import { mix } from './colour.ts'
import type { Layout } from './layout.ts'
import { ellipsePath, mergeMarks, radialGradient, round, type Mark } from './svg.ts'

/** 430 high, lamp at (0, -352). */
export function drawLighthouse(layout: Layout): string {
  const isDark = layout.scene.timeOfDay !== 'DAY'
  const [white, red, dark] = [
    applySceneLight(layout, '#f4efe6'),
    applySceneLight(layout, '#c8402f'),
    applySceneLight(layout, '#22262e'),
  ]
  const lamp = '#fff2b8'
  const shadow =
    layout.sun.x > layout.width / 2 ? 'M-58 0L-40 -318L-4 -318L-8 0Z' : 'M58 0L40 -318L4 -318L8 0Z'
  const band = (from: number, to: number) => {
    return `<path d="M${-wallAt(from)} ${-from}L${-wallAt(to)} ${-to}L${wallAt(to)} ${-to}L${wallAt(from)} ${-from}Z" fill="${red}"/>`
  }
  const light = [
    [0, lamp, 1],
    [0.2, lamp, 0.5],
    [1, lamp, 0],
  ] as const
  return `<defs>${radialGradient('lamp', light)}</defs>${isDark ? beam(layout, lamp) : ''}
    <path d="M-58 0L-40 -318L40 -318L58 0Z" fill="${white}"/>${band(40, 104)}${band(168, 226)}${band(282, 318)}
    <path d="${shadow}" fill="${dark}" fill-opacity="0.28"/>
    <path d="M-12 0L-12 -30C-12 -46 12 -46 12 -30L12 0Z" fill="${dark}"/>
    <rect x="-8" y="-150" width="16" height="24" rx="8" fill="${isDark ? lamp : dark}"/>
    <rect x="-7" y="-264" width="14" height="22" rx="7" fill="${isDark ? lamp : dark}"/>
    <path d="M-54 -316L54 -316L50 -330L-50 -330Z" fill="${dark}"/>
    <rect x="-27" y="-374" width="54" height="46" fill="${isDark ? lamp : mix(white, '#9cc7d6', 0.5)}"/>
    <path d="M-27 -374V-328M-9 -374V-328M9 -374V-328M27 -374V-328" stroke="${dark}" stroke-width="4"/>
    <path d="M-34 -372L34 -372L0 -404Z" fill="${red}"/><path d="M0 -402V-426" stroke="${dark}" stroke-width="4"/>
    <path d="M-54 -330V-348M-36 -330V-348M36 -330V-348M54 -330V-348M-56 -348H56" stroke="${dark}" stroke-width="3"/>
    ${isDark ? '<circle cx="0" cy="-352" r="150" fill="url(#lamp)"/>' : ''}`
}

// Half the tower's width.
function wallAt(height: number): number {
  return round(58 - (18 * height) / 318)
}

function beam(layout: Layout, lamp: string): string {
  const reach = layout.width * 1.4
  const cone = (side: number) =>
    `<path d="M0 -358L${round(side * reach)} ${round(-358 - reach * 0.16)}L${round(side * reach)} ${round(-352 + reach * 0.02)}L0 -346Z" fill="url(#beam${side})"/>`
  const ramp = (side: number) =>
    `<linearGradient id="beam${side}" x1="${side > 0 ? 0 : 1}" x2="${side > 0 ? 1 : 0}"><stop offset="0" stop-color="${lamp}" stop-opacity="0.75"/><stop offset="0.35" stop-color="${lamp}" stop-opacity="0.22"/><stop offset="1" stop-color="${lamp}" stop-opacity="0"/></linearGradient>`
  return `<defs>${ramp(1)}${ramp(-1)}</defs>${cone(1)}${cone(-1)}`
}

/** 150 high, with smoke. */
export function drawCabin(layout: Layout): string {
  const [wall, side, dark] = [
    applySceneLight(layout, '#7d4b34'),
    applySceneLight(layout, '#5d3527'),
    applySceneLight(layout, '#2c1b18'),
  ]
  const roof =
    layout.scene.weather === 'SNOW' ? applySceneLight(layout, '#f6f8fb') : applySceneLight(layout, '#3d2f35')
  const lit = layout.scene.timeOfDay === 'DAY' ? '#f6dc9a' : '#ffd27a'
  const warmth = [
    [0, lit, 0.7],
    [1, lit, 0],
  ] as const
  return `<defs>${radialGradient('warmth', warmth)}</defs>
    <path d="M52 -150C46 -176 66 -190 58 -216C52 -236 70 -250 66 -272" fill="none" stroke="${layout.palette.sky[3]}" stroke-width="12" stroke-linecap="round" stroke-opacity="0.4"/>
    <rect x="42" y="-154" width="22" height="60" fill="${dark}"/>
    <path d="M-96 0V-72L-28 -122L40 -72V0Z" fill="${wall}"/><path d="M40 0V-72L108 -72V0Z" fill="${side}"/>
    <path d="M-96 -18H40M-96 -36H40M-96 -54H40" stroke="${side}" stroke-width="3"/>
    <path d="M-110 -64L-28 -130L36 -130L122 -64L104 -64L44 -64L-28 -114L-98 -58Z" fill="${roof}"/>
    <path d="M-28 -130L44 -64L122 -64L60 -130Z" fill="${roof}"/>
    <rect x="-76" y="-54" width="34" height="30" fill="${lit}"/><path d="M-59 -54V-24M-76 -39H-42" stroke="${dark}" stroke-width="3"/>
    <rect x="-14" y="-56" width="30" height="56" fill="${dark}"/>
    <rect x="62" y="-54" width="28" height="26" fill="${lit}"/><path d="M76 -54V-28" stroke="${dark}" stroke-width="3"/>
    <circle cx="-59" cy="-39" r="80" fill="url(#warmth)"/><circle cx="76" cy="-41" r="60" fill="url(#warmth)"/>`
}

/** 170 high, with reflection. */
export function drawBoat(layout: Layout): string {
  const [sail, jib, hull] = [
    applySceneLight(layout, '#fbf3e2'),
    applySceneLight(layout, '#e9d3b4'),
    applySceneLight(layout, '#7a3226'),
  ]
  const dark = applySceneLight(layout, '#2a1c1e')
  const boat = `<path d="M-2 -168V-14" stroke="${dark}" stroke-width="4"/>
    <path d="M4 -164C44 -118 62 -66 66 -26L4 -26Z" fill="${sail}"/><path d="M-8 -150C-22 -104 -40 -62 -58 -28L-8 -26Z" fill="${jib}"/>
    <path d="M-78 -18C-40 -12 46 -12 84 -22C76 -4 62 6 46 8L-46 8C-62 4 -72 -6 -78 -18Z" fill="${hull}"/>
    <path d="M-78 -18C-40 -12 46 -12 84 -22L82 -14C46 -5 -42 -5 -74 -11Z" fill="${dark}"/>`
  return `<g transform="translate(0 14) scale(1 -0.55)" opacity="0.28">${boat}</g>${boat}`
}

/** 260 high, basket at (0, 0). */
export function drawBalloon(layout: Layout): string {
  const stripes = [layout.palette.accent, '#fbe9cf', '#2f6f7e', '#f4b942'].map((colour) =>
    applySceneLight(layout, colour),
  )
  const [one, two, three, four] = stripes
  const dark = applySceneLight(layout, '#4a2f22')
  return `<path d="M-22 -66L-12 -20M22 -66L12 -20M-8 -66L-5 -20M8 -66L5 -20" stroke="${dark}" stroke-width="2"/>
    <path d="M0 -262C-66 -262 -104 -214 -100 -166C-96 -126 -54 -92 -24 -64L24 -64C54 -92 96 -126 100 -166C104 -214 66 -262 0 -262Z" fill="${one}"/>
    <path d="M0 -262C-50 -262 -72 -214 -70 -166C-66 -126 -38 -92 -17 -64L17 -64C38 -92 66 -126 70 -166C72 -214 50 -262 0 -262Z" fill="${two}"/>
    <path d="M0 -262C-30 -262 -42 -214 -42 -166C-40 -126 -22 -92 -10 -64L10 -64C22 -92 40 -126 42 -166C42 -214 30 -262 0 -262Z" fill="${three}"/>
    <path d="M0 -262C-10 -262 -15 -214 -15 -166C-14 -126 -8 -92 -4 -64L4 -64C8 -92 14 -126 15 -166C15 -214 10 -262 0 -262Z" fill="${four}"/>
    <path d="M0 -262C66 -262 104 -214 100 -166C96 -126 54 -92 24 -64L10 -64C44 -100 62 -150 48 -200C40 -232 22 -252 0 -262Z" fill="#1a1030" fill-opacity="0.22"/>
    <path d="M-15 -22H15L12 2C12 6 -12 6 -12 2Z" fill="${dark}"/>`
}

const CROWN_SHADES = 20

/** About 280 high. */
export function drawTree(layout: Layout): string {
  const [random, uneven] = [layout.random('tree'), layout.random('leaves')]
  const bark = applySceneLight(layout, '#3d2a2a')
  const leaf = applySceneLight(layout, layout.scene.weather === 'SNOW' ? '#e9eff6' : layout.palette.accent)
  const [shaded, lit] = [mix(leaf, bark, 0.42), mix(leaf, layout.palette.light, 0.4)]
  const crown: Mark[] = []
  for (let index = 0; index < 190; index++) {
    const [angle, reach] = [random.between(0, 2 * Math.PI), Math.sqrt(random.next())]
    const [x, y] = [Math.cos(angle) * reach * 122, -196 + Math.sin(angle) * reach * 82]
    const towardsSun = (layout.sun.x > layout.width / 2 ? x : -x) / 122 - (y + 196) / 82
    const radius = random.between(9, 25)
    const light = 0.5 + towardsSun * 0.32 + uneven.between(-0.16, 0.16)
    const shade = Math.round(light * CROWN_SHADES) / CROWN_SHADES
    crown.push({
      data: ellipsePath({ x, y }, radius, radius),
      style: `fill="${mix(shaded, lit, shade)}"`,
    })
  }
  return `<path d="M-17 4C-8 -40 -12 -84 -34 -142L-26 -146L-6 -104L0 -170L8 -106L34 -152L40 -146C20 -92 10 -50 20 4Z" fill="${bark}"/>${mergeMarks(crown)}`
}
