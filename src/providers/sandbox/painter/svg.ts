import type { Colour } from './colour.ts'

export interface Point {
  x: number
  y: number
}

export type GradientStop = readonly [offset: number, colour: Colour, opacity: number]

/** For `url(#id)`. */
export function linearGradient(id: string, stops: readonly GradientStop[]): string {
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stopTags(stops)}</linearGradient>`
}

/** From the centre, for `url(#id)`. */
export function radialGradient(id: string, stops: readonly GradientStop[]): string {
  return `<radialGradient id="${id}">${stopTags(stops)}</radialGradient>`
}

function stopTags(stops: readonly GradientStop[]): string {
  return stops
    .map(
      ([offset, colour, opacity]) =>
        `<stop offset="${offset}" stop-color="${colour}" stop-opacity="${opacity}"/>`,
    )
    .join('')
}

/** Anti-aliasing takes twice as long; between similar colours it is invisible. */
export const FAINT_EDGES = 'shape-rendering="optimizeSpeed"'

/** Closed if `end` is `z`. Rounded to tenths: finer than any pixel. */
export function path(points: readonly Point[], end = ''): string {
  let [lastX, lastY] = [0, 0]
  // Relative coordinates are shorter: parsing is much of the rendering time.
  const steps = points.map((point) => {
    const [x, y] = [Math.round(point.x * 10), Math.round(point.y * 10)]
    const step = `${(x - lastX) / 10} ${(y - lastY) / 10}`
    ;[lastX, lastY] = [x, y]
    return step
  })
  return `M${steps[0]}l${steps.slice(1).join(' ')}${end}`
}

/** Several in one path are one shape: opacity applies once where they overlap. */
export function ellipsePath({ x, y }: Point, rx: number, ry: number): string {
  const [half, radii] = [round(rx), `${round(rx)} ${round(ry)}`]
  return `M${round(x - rx)} ${round(y)}a${radii} 0 1 0 ${round(2 * half)} 0a${radii} 0 1 0 ${round(-2 * half)} 0`
}

export interface Mark {
  data: string
  style: string
}

/** One path per style, in order of appearance: rendering time grows with elements. */
export function mergeMarks(marks: readonly Mark[]): string {
  const styles = Map.groupBy(marks, ({ style }) => style)
  return [...styles]
    .map(([style, alike]) => `<path d="${alike.map(({ data }) => data).join('')}" ${style}/>`)
    .join('')
}

/** For a group with `stroke-linecap="round"`. */
export function dot({ x, y }: Point, radius: number, opacity: number): Mark {
  const width = Math.max(0.4, Math.round(radius * 5) / 2.5)
  return {
    data: `M${round(x)} ${round(y)}h0`,
    style: `stroke-width="${width}" stroke-opacity="${Math.max(0.1, round(opacity))}"`,
  }
}

/** To tenths: a shorter SVG. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}
