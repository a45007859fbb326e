// The paper that painters share: its size in painting units (the short edge is 1000), the scene, the colours, and a
// stream of chance for each of them, so that one painter's change leaves the others' work as it was.
import type { Colour } from './colour.ts'
import { choosePalette, type Palette } from './palette.ts'
import { createRandom, type Random } from './random.ts'
import { readScene, type Scene } from './scene.ts'

export interface Sheet {
  width: number
  height: number
  /** Where sky meets land or water, in units from the top. */
  horizon: number
  /** The sun or the moon. */
  sun: { x: number; y: number; radius: number }
  scene: Scene
  palette: Palette
  /** A stream of chance of its own for each name. */
  random(name: string): Random
}

export interface Point {
  x: number
  y: number
}

/** Lays out a sheet of the given proportions. The seed decides everything that the prompt leaves open. */
export function layOut(prompt: string, seed: string, ratio: number): Sheet {
  const random = (name: string) => createRandom(`${seed}/${name}`)
  // The scene depends on the prompt alone, so that several pictures of one prompt are of one kind.
  const scene = readScene(prompt, createRandom(prompt))
  const [width, height] = ratio >= 1 ? [1000 * ratio, 1000] : [1000, 1000 / ratio]
  const layout = random('layout')
  const horizon = height * layout.between(0.56, 0.64)
  const sun = {
    x: width * layout.pick([layout.between(0.24, 0.38), layout.between(0.62, 0.76)]),
    y:
      horizon *
      (scene.hour === 'DUSK' || scene.hour === 'DAWN'
        ? layout.between(0.66, 0.84)
        : layout.between(0.26, 0.42)),
    radius: layout.between(44, 68),
  }
  return { width, height, horizon, sun, scene, palette: choosePalette(scene, random('palette')), random }
}

/** A vertical gradient, to be used as `url(#id)`. Stops are `[offset, colour, opacity]`. */
export function fade(id: string, stops: readonly (readonly [number, Colour, number])[]): string {
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stopTags(stops)}</linearGradient>`
}

/** A round gradient from the middle outwards, to be used as `url(#id)`. */
export function glow(id: string, stops: readonly (readonly [number, Colour, number])[]): string {
  return `<radialGradient id="${id}">${stopTags(stops)}</radialGradient>`
}

function stopTags(stops: readonly (readonly [number, Colour, number])[]): string {
  return stops
    .map(
      ([offset, colour, opacity]) =>
        `<stop offset="${offset}" stop-color="${colour}" stop-opacity="${opacity}"/>`,
    )
    .join('')
}

/** Path data through the points, closed when it ends in `Z`. Rounded to tenths: finer than any pixel. */
export function path(points: readonly Point[], end = ''): string {
  return `M${points.map((point) => `${round(point.x)} ${round(point.y)}`).join('L')}${end}`
}

/** A number as short as SVG needs it. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}
