// Pictures have no text: fonts differ between machines, bytes must not.
import { paintLandscape } from './landscapes.ts'
import type { Layout } from './layout.ts'
import { paintSky } from './sky.ts'
import { drawIsolated, placeSubjects } from './subjects.ts'
import { radialGradient, round, type GradientStop } from './svg.ts'
import { paintWeather } from './weather.ts'

/** In pixels. */
export interface PictureSize {
  width: number
  height: number
}

export function composeScene(layout: Layout, size: PictureSize): string {
  return document(layout, size, scene(layout))
}

/** Subjects on transparent background; without any, the scene as a disc. */
export function composeCutout(layout: Layout, size: PictureSize): string {
  const { width, height } = layout
  const subjects = layout.scene.subjects.filter((subject) => subject !== 'BIRDS').slice(0, 3)
  if (subjects.length > 0) {
    const tall = subjects.length > 1 ? 460 : 760
    const marks = subjects.map((subject, index, all) => {
      const foot = { x: (width * (index + 1)) / (all.length + 1), y: height / 2 + tall / 2 }
      return drawIsolated(layout, subject, foot, tall)
    })
    return document(layout, size, marks.join(''))
  }
  const disc = `<clipPath id="disc"><circle cx="${width / 2}" cy="${height / 2}" r="460"/></clipPath>`
  return document(layout, size, `<defs>${disc}</defs><g clip-path="url(#disc)">${scene(layout)}</g>`)
}

function scene(layout: Layout): string {
  const landscape = paintLandscape(layout)
  const subjects = placeSubjects(layout, landscape.groundAt)
  // ABSTRACT covers it.
  const sky = layout.scene.landscape === 'ABSTRACT' ? '' : paintSky(layout)
  return sky + landscape.svg + subjects + paintWeather(layout)
}

/** An edit's additions, on transparent background. */
export function composeOverlay(layout: Layout, size: PictureSize): string {
  const { sun, palette, height } = layout
  const stops: GradientStop[] = [
    [0, palette.light, 0.5],
    [1, palette.light, 0],
  ]
  const light = `<defs>${radialGradient('sunlight', stops)}</defs><circle cx="${round(sun.x)}" cy="${round(sun.y)}" r="520" fill="url(#sunlight)"/>`
  return document(layout, size, light + placeSubjects(layout, () => height * 0.93) + paintWeather(layout))
}

/** Outline for an opaque base that becomes transparent. */
export function composeEllipse({ width, height }: PictureSize): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.46}" ry="${height * 0.46}" fill="#fff"/></svg>`
}

function document(layout: Layout, { width, height }: PictureSize, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${layout.width} ${layout.height}" preserveAspectRatio="none">${body}</svg>`
}
