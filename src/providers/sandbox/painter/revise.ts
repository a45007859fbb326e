import { createRandom } from './random.ts'
import { readScene, type Hour, type Place, type Weather } from './scene.ts'

const PLACES: Readonly<Record<Place, string>> = {
  MOUNTAINS: 'with layered mountain ridges fading into the distance',
  SEA: 'with calm water reaching to the horizon',
  FOREST: 'among rows of pines with mist between them',
  CITY: 'before a skyline of lit towers',
  DESERT: 'between smooth dunes',
  MEADOW: 'over rolling hills and a flowering meadow',
  ABSTRACT: 'as flowing bands of colour and quiet discs',
}
const HOURS: Readonly<Record<Hour, string>> = {
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

/** The prompt as a model would rewrite it: with what the picture really shows. */
export function revisePrompt(prompt: string): string {
  const { place, hour, weather } = readScene(prompt, createRandom(prompt))
  const subject = prompt.trim().replace(/[.!,;]$/u, '')
  return `${subject}, ${PLACES[place]}, ${HOURS[hour]}${WEATHERS[weather]}. Painted illustration, fine film grain.`
}
