import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { svgThumbhash } from '../../src/assets/decode.ts'
import { inspectImage, inspectResult } from '../../src/assets/inspect.ts'
import { svgProblem } from '../../src/assets/svg/problem.ts'
import { rasteriseSvg, SvgNotRendered } from '../../src/assets/svg/rasteriser.ts'
import { HOSTILE_SVGS, svgOf } from './hostile-svg.ts'

describe('the size of an SVG', () => {
  it.each([
    ['viewBox="0 0 640 480"', 640, 480],
    ["width='10' viewBox='0,0, 12.4 7.6'", 12, 8],
    ['viewBox="0 0 0 480" width="30px" height="40"', 30, 40],
    ['width="100%" height="50%"', 300, 150],
    ['title="a > b" viewBox="0 0 5 6"', 5, 6],
    ['viewBox="0 0 1e12 1"', 1_000_000, 1],
  ])('is read from %s', async (attributes, width, height) => {
    const svg = Buffer.from(
      `<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg" ${attributes}/>`,
    )
    const facts = { width, height, mimeType: 'image/svg+xml', frames: 1, durationMs: null, plays: null }
    expect(await inspectResult(svg)).toMatchObject(facts)
  })

  it('is none of an input image or a web page', async () => {
    await expect(inspectImage(svgOf('<rect/>'))).rejects.toMatchObject({ reason: 'TYPE' })
    const page = Buffer.from('<!-- <svg> --><html><svg viewBox="0 0 1 1"/></html>')
    await expect(inspectResult(page)).rejects.toMatchObject({ reason: 'TYPE' })
  })
})

describe('an SVG that is rendered', () => {
  it('has its size, whatever its own', async () => {
    const svg = svgOf('<a href="https://example.com"><rect width="64" height="32" fill="#f00"/></a>')
    const png = await rasteriseSvg({ svg, width: 256, height: 128, ownWidth: 64 })
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, ...data.subarray(0, 3)]).toEqual([256, 128, 255, 0, 0])
    expect(await svgThumbhash(svg)).toMatch(/^[\w+/=]{20,40}$/)
  })

  it.each(Object.entries(HOSTILE_SVGS))('is not: %s', async (_, svg) => {
    const startedAt = performance.now()
    const work = rasteriseSvg({ svg, width: 64, height: 64, ownWidth: 64 })
    await expect(work).rejects.toThrow(SvgNotRendered)
    // Known by then: not tried again.
    await expect(rasteriseSvg({ svg, width: 64, height: 64, ownWidth: 64 })).rejects.toThrow(SvgNotRendered)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it('is one after a bomb ended the renderer', async () => {
    const svg = svgOf('<rect width="64" height="32" fill="#0f0"/>')
    expect((await rasteriseSvg({ svg, width: 8, height: 8, ownWidth: 64 })).length).toBeGreaterThan(50)
  })

  it('is looked at in linear time', () => {
    for (const piece of ['<!DOCTYPE', 'url(', '<a ', ' href = ', '<!--', '"', '<fe']) {
      const startedAt = performance.now()
      svgProblem(Buffer.from(`<svg>${piece.repeat(Math.floor(2_000_000 / piece.length))}`))
      expect([piece, performance.now() - startedAt < 3000]).toEqual([piece, true])
    }
  })
})
