// From a prompt to an SVG. No text and no fonts: fonts differ between machines, and the same prompt must give the same
// bytes on all of them.
import { paintPlace, type Place } from './places.ts'
import { glow, layOut, round, type Sheet } from './sheet.ts'
import { paintSky } from './sky.ts'
import { drawAlone, placeSubjects } from './subjects.ts'
import { paintVignette, paintWeather } from './weather.ts'

export interface Canvas {
  /** In pixels. */
  width: number
  height: number
}

/** The whole picture, edge to edge. */
export function paintScene(prompt: string, seed: string, canvas: Canvas): string {
  const sheet = layOut(prompt, seed, canvas.width / canvas.height)
  const place = paintPlace(sheet)
  const parts = [
    paintSky(sheet),
    place.svg,
    placeSubjects(sheet, place),
    paintWeather(sheet),
    paintVignette(sheet),
  ]
  return wrap(sheet, canvas, parts.join(''))
}

/** Its subject alone on nothing; where the prompt names none, the scene as a round picture. */
export function paintCutout(prompt: string, seed: string, canvas: Canvas): string {
  const sheet = layOut(prompt, seed, canvas.width / canvas.height)
  const subjects = sheet.scene.subjects.filter((subject) => subject !== 'BIRDS')
  const [width, height] = [sheet.width, sheet.height]
  if (subjects.length > 0) {
    const tall = subjects.length > 1 ? 460 : 760
    const marks = subjects.slice(0, 3).map((subject, index, all) => {
      const foot = { x: (width * (index + 1)) / (all.length + 1), y: height / 2 + tall / 2 }
      return drawAlone(sheet, subject, foot, tall)
    })
    return wrap(sheet, canvas, marks.join(''))
  }
  const place = paintPlace(sheet)
  const disc = `<clipPath id="disc"><circle cx="${width / 2}" cy="${height / 2}" r="460"/></clipPath>`
  const parts = [paintSky(sheet), place.svg, placeSubjects(sheet, place), paintWeather(sheet)].join('')
  return wrap(sheet, canvas, `<defs>${disc}</defs><g clip-path="url(#disc)">${parts}</g>`)
}

/** What an edit adds on top of a photograph: the subjects and the weather, on nothing. */
export function paintOverlay(prompt: string, seed: string, canvas: Canvas): string {
  const sheet = layOut(prompt, seed, canvas.width / canvas.height)
  const place: Place = { svg: '', groundAt: () => sheet.height * 0.93 }
  const light = [
    [0, sheet.palette.light, 0.5],
    [1, sheet.palette.light, 0],
  ] as const
  const lamp = `<defs>${glow('lamplight', light)}</defs><circle cx="${round(sheet.sun.x)}" cy="${round(sheet.sun.y)}" r="520" fill="url(#lamplight)"/>`
  return wrap(sheet, canvas, lamp + placeSubjects(sheet, place) + paintWeather(sheet))
}

/** The shape that an edit keeps of an opaque picture when its ground shall be transparent. */
export function paintCut({ width, height }: Canvas): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.46}" ry="${height * 0.46}" fill="#fff"/></svg>`
}

function wrap(sheet: Sheet, canvas: Canvas, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}" viewBox="0 0 ${sheet.width} ${sheet.height}" preserveAspectRatio="none">${body}</svg>`
}
