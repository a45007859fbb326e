import { createRandom } from './random.ts'
import { readScene, type TimeOfDay, type LandscapeKind, type Weather } from './scene.ts'

const LANDSCAPES: Readonly<Record<LandscapeKind, string>> = {
  MOUNTAINS: 'with layered mountain ridges fading into the distance',
  SEA: 'with calm water reaching to the horizon',
  FOREST: 'among rows of pines with mist between them',
  CITY: 'before a skyline of lit towers',
  DESERT: 'between smooth dunes',
  MEADOW: 'over rolling hills and a flowering meadow',
  ABSTRACT: 'as flowing bands of colour and quiet discs',
}
const TIMES_OF_DAY: Readonly<Record<TimeOfDay, string>> = {
  DAWN: 'in the pale light of dawn',
  DAY: 'in clear daylight',
  DUSK: 'in the warm glow of dusk',
  NIGHT: 'under a moonlit night sky',
}
const WEATHERS: Readonly<Record<Weather, string>> = {
  CLEAR: '',
  SNOW: ', with snow falling softly',
  RAIN: ', with fine rain',
  MIST: ', wrapped in mist',
}

export function revisePrompt(prompt: string): string {
  const { landscape, timeOfDay, weather } = readScene(prompt, createRandom(prompt))
  const subject = prompt.trim().replace(/[.!,;]$/u, '')
  return `${subject}, ${LANDSCAPES[landscape]}, ${TIMES_OF_DAY[timeOfDay]}${WEATHERS[weather]}. Painted illustration, fine film grain.`
}
