// Strokes to pixels, without a canvas: no smoothed edges, and the same bytes in every browser.
import type { Point, Stroke } from './strokes.ts'

/** One byte for each pixel: 1 is redrawn, 0 is kept. */
export interface Raster {
  width: number
  height: number
  pixels: Uint8Array
}

export interface Box {
  left: number
  top: number
  /** Exclusive, as `bottom`. */
  right: number
  bottom: number
}

export function createRaster(width: number, height: number): Raster {
  return { width, height, pixels: new Uint8Array(width * height) }
}

export function rasterize(strokes: readonly Stroke[], size: { width: number; height: number }): Raster {
  const raster = createRaster(size.width, size.height)
  // What precedes the last clearing cannot be seen.
  const start = strokes.findLastIndex(({ kind }) => kind === 'clear' || kind === 'import')
  for (const stroke of strokes.slice(Math.max(0, start))) drawStroke(raster, stroke)
  return raster
}

/** Returns the changed pixels. */
export function drawStroke(raster: Raster, stroke: Stroke): Box {
  const { width, height, pixels } = raster
  const whole = { left: 0, top: 0, right: width, bottom: height }
  switch (stroke.kind) {
    case 'clear':
      pixels.fill(0)
      return whole
    case 'invert':
      for (let index = 0; index < pixels.length; index++) pixels[index] = pixels[index] === 0 ? 1 : 0
      return whole
    case 'import':
      pixels.set(stroke.pixels.subarray(0, pixels.length))
      return whole
    case 'rectangle':
    case 'ellipse':
      return drawShape(raster, stroke)
    case 'brush':
    case 'eraser':
      return drawPath(raster, stroke)
  }
}

/** A line with round ends between each two points. */
function drawPath(raster: Raster, stroke: Extract<Stroke, { points: unknown }>): Box {
  const value = stroke.kind === 'brush' ? 1 : 0
  const boxes = stroke.points.map((point, index) =>
    drawSegment(raster, stroke.points[index - 1] ?? point, point, { radius: stroke.size / 2, value }),
  )
  return boxes.reduce(unite, { left: raster.width, top: raster.height, right: 0, bottom: 0 })
}

/** The pixels whose center is at most `radius` away from the line. */
export function drawSegment(
  raster: Raster,
  from: Point,
  to: Point,
  { radius, value }: { radius: number; value: 0 | 1 },
): Box {
  const { width, height, pixels } = raster
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius))
  const right = Math.min(width, Math.ceil(Math.max(from.x, to.x) + radius))
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius))
  const bottom = Math.min(height, Math.ceil(Math.max(from.y, to.y) + radius))
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = dx * dx + dy * dy
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y]
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length))
      const [ex, ey] = [px - along * dx, py - along * dy]
      if (ex * ex + ey * ey <= radius * radius) pixels[y * width + x] = value
    }
  }
  return { left, top, right, bottom }
}

function drawShape(raster: Raster, stroke: Extract<Stroke, { x: number }>): Box {
  const { width, height, pixels } = raster
  const left = Math.max(0, stroke.x)
  const top = Math.max(0, stroke.y)
  const right = Math.min(width, stroke.x + stroke.width)
  const bottom = Math.min(height, stroke.y + stroke.height)
  const [rx, ry] = [stroke.width / 2, stroke.height / 2]
  for (let y = top; y < bottom; y++) {
    if (stroke.kind === 'rectangle') {
      pixels.fill(1, y * width + left, y * width + Math.max(left, right))
      continue
    }
    for (let x = left; x < right; x++) {
      const [ex, ey] = [(x + 0.5 - stroke.x - rx) / rx, (y + 0.5 - stroke.y - ry) / ry]
      if (ex * ex + ey * ey <= 1) pixels[y * width + x] = 1
    }
  }
  return { left, top, right, bottom }
}

export function unite(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}

/** From 0 to 1. */
export function shareOf({ pixels }: Raster): number {
  let count = 0
  for (const pixel of pixels) count += pixel
  return count / pixels.length
}
