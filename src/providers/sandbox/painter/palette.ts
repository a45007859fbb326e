import { mix, tint, turnHue, type Colour } from './colour.ts'
import type { Random } from './random.ts'
import type { TimeOfDay, Scene } from './scene.ts'

export interface Palette {
  /** Top to horizon. */
  sky: readonly [Colour, Colour, Colour, Colour]
  /** Sun or moon, and their light. */
  light: Colour
  /** Distant land. */
  haze: Colour
  /** Foreground. */
  ground: Colour
  /** Details. */
  accent: Colour
}

const PALETTES: Readonly<Record<TimeOfDay, readonly Palette[]>> = {
  DAWN: [
    {
      sky: ['#4a5a8c', '#9c8fb8', '#f2b09a', '#ffe3b8'],
      light: '#fff3d6',
      haze: '#e8b7a8',
      ground: '#2b2c4a',
      accent: '#e8604c',
    },
    {
      sky: ['#5f86a6', '#a9bfc4', '#f3d3b3', '#fdeecb'],
      light: '#fffbe6',
      haze: '#d9c3b0',
      ground: '#22404a',
      accent: '#e5734f',
    },
  ],
  DAY: [
    {
      sky: ['#2f7fb5', '#6fb3d2', '#b9dfe2', '#f6f0d8'],
      light: '#fffdf0',
      haze: '#a9cfd6',
      ground: '#17464a',
      accent: '#e8553f',
    },
    {
      sky: ['#3e8f9f', '#7fc4bd', '#c9e4c9', '#f8efcf'],
      light: '#fffbe0',
      haze: '#b5d6bd',
      ground: '#1c4733',
      accent: '#ef8a3c',
    },
  ],
  DUSK: [
    {
      sky: ['#1e2455', '#6b3f7f', '#dd6468', '#ffb765'],
      light: '#ffe2a0',
      haze: '#d67a70',
      ground: '#191331',
      accent: '#ff8a3d',
    },
    {
      sky: ['#233a5e', '#5d6a8f', '#e08a6a', '#ffd08a'],
      light: '#fff0c0',
      haze: '#c98a7b',
      ground: '#14202f',
      accent: '#ff7a4a',
    },
    {
      sky: ['#2b1b4d', '#8a3a72', '#e8697a', '#ffc28f'],
      light: '#ffe9bd',
      haze: '#cf7286',
      ground: '#1d1030',
      accent: '#ffb14a',
    },
  ],
  NIGHT: [
    {
      sky: ['#050b1f', '#0c1f45', '#1d426b', '#4a7d93'],
      light: '#f6f2dc',
      haze: '#35607f',
      ground: '#050a17',
      accent: '#ffc46b',
    },
    {
      sky: ['#0a0a24', '#1d1b4b', '#3a3270', '#6f5a92'],
      light: '#fbf3df',
      haze: '#4a4180',
      ground: '#080818',
      accent: '#ffb45e',
    },
  ],
}

const SNOW_LIGHT: Readonly<Record<TimeOfDay, Colour>> = {
  DAWN: '#fbe9e4',
  DAY: '#f7fbfd',
  DUSK: '#e9d3dc',
  NIGHT: '#7f9cc0',
}

export function choosePalette(scene: Scene, random: Random): Palette {
  const turn = random.between(-9, 9)
  const base = random.pick(PALETTES[scene.timeOfDay])
  const change = (colour: Colour) => {
    const turned = turnHue(colour, turn)
    const tinted = scene.hue === null ? turned : tint(turned, scene.hue, 0.55)
    return scene.weather === 'RAIN' || scene.weather === 'MIST' ? mix(tinted, '#7b8794', 0.18) : tinted
  }
  const [top, upper, lower, horizon] = base.sky
  return {
    sky: [change(top), change(upper), change(lower), change(horizon)],
    light: change(base.light),
    haze: change(base.haze),
    ground: scene.weather === 'SNOW' ? change(SNOW_LIGHT[scene.timeOfDay]) : change(base.ground),
    accent: turnHue(base.accent, turn),
  }
}

export function vignetteColour({ sky: [top] }: Palette): Colour {
  return mix(top, '#05060c', 0.75)
}

/** `height`: 0 (top) to 1 (horizon). */
export function skyColourAt(palette: Palette, height: number): Colour {
  const place = Math.min(0.999, Math.max(0, height)) * 3
  const index = Math.floor(place)
  const [from, to] = [palette.sky[index], palette.sky[index + 1]]
  return mix(from ?? palette.sky[0], to ?? palette.sky[3], place - index)
}
