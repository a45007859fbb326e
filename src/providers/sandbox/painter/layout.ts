// Shared by all parts. Lengths: thousandths of the short edge.
import { choosePalette, type Palette } from './palette.ts'
import { createRandom, type Random } from './random.ts'
import { readScene, type Scene } from './scene.ts'

export interface Layout {
  width: number
  height: number
  /** From the top. */
  horizon: number
  /** Or the moon. */
  sun: { x: number; y: number; radius: number }
  scene: Scene
  palette: Palette
  /** One stream per name: parts change independently. */
  random(name: string): Random
}

/** The seed decides what the prompt leaves open. */
export function createLayout(prompt: string, seed: string, ratio: number): Layout {
  const random = (name: string) => createRandom(`${seed}/${name}`)
  // From the prompt alone: its pictures show the same.
  const scene = readScene(prompt, createRandom(prompt))
  const [width, height] = ratio >= 1 ? [1000 * ratio, 1000] : [1000, 1000 / ratio]
  const chance = random('layout')
  const horizon = height * chance.between(0.56, 0.64)
  const isLow = scene.timeOfDay === 'DUSK' || scene.timeOfDay === 'DAWN'
  const sun = {
    x: width * chance.pick([chance.between(0.24, 0.38), chance.between(0.62, 0.76)]),
    y: horizon * (isLow ? chance.between(0.66, 0.84) : chance.between(0.26, 0.42)),
    radius: chance.between(44, 68),
  }
  return { width, height, horizon, sun, scene, palette: choosePalette(scene, random('palette')), random }
}
