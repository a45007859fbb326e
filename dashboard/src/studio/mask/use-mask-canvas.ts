import { useEffect, useLayoutEffect, useRef, type PointerEvent } from 'react'
import { paintOverlay } from './overlay.ts'
import { createRaster, drawSegment, rasterize, shareOf, type Raster } from './raster.ts'
import { addStroke, boxOf, strokesOf, type MaskState, type Point, type Stroke } from './strokes.ts'
import type { Tool } from './mask-tools.tsx'

/** Of a stripe, on the screen. */
const STRIPE_PX = 6

interface MaskCanvasOptions {
  size: { width: number; height: number }
  state: MaskState
  tool: Tool
  brushSize: number
  onChange: (state: MaskState, share: number) => void
  /** While a shape is dragged, in pixels of the image. */
  onBox: (box: { x: number; y: number; width: number; height: number } | undefined) => void
}

/** The canvas over the picture: paints the mask, and turns what the pointer does into strokes. */
export function useMaskCanvas({ size, state, tool, brushSize, onChange, onBox }: MaskCanvasOptions) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const raster = useRef<Raster>(undefined)
  /** The state that the raster shows. */
  const shown = useRef<MaskState>(undefined)
  const gesture = useRef<{ points: Point[] }>(undefined)
  const { width, height } = size

  function stripe(): number {
    const scale = width / Math.max(1, canvas.current?.clientWidth ?? width)
    return Math.max(1, STRIPE_PX * scale)
  }

  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || shown.current === state) return
    raster.current = rasterize(strokesOf(state), { width, height })
    shown.current = state
    paintOverlay(context, raster.current, undefined, stripe())
  })

  useEffect(() => {
    const element = canvas.current
    if (!element) return undefined
    // Stripes keep their width on the screen.
    const observer = new ResizeObserver(() => {
      const context = element.getContext('2d')
      if (context && raster.current) paintOverlay(context, raster.current, undefined, stripe())
    })
    observer.observe(element)
    return () => observer.disconnect()
    // oxlint-disable-next-line exhaustive-deps -- the observer reads the present width
  }, [width, height])

  function pointOf({ clientX, clientY }: { clientX: number; clientY: number }): Point {
    const box = canvas.current?.getBoundingClientRect()
    if (!box) return { x: 0, y: 0 }
    return {
      x: ((clientX - box.left) / box.width) * width,
      y: ((clientY - box.top) / box.height) * height,
    }
  }

  function draw(from: Point, to: Point): void {
    const context = canvas.current?.getContext('2d')
    raster.current ??= createRaster(width, height)
    const pen = { radius: brushSize / 2, value: tool === 'brush' ? (1 as const) : (0 as const) }
    const box = drawSegment(raster.current, from, to, pen)
    if (context) paintOverlay(context, raster.current, box, stripe())
  }

  function commit(stroke: Stroke, isDrawn: boolean): void {
    const next = addStroke(state, stroke)
    if (!isDrawn || !raster.current) raster.current = rasterize(strokesOf(next), { width, height })
    if (isDrawn) shown.current = next
    onChange(next, shareOf(raster.current))
  }

  const handlers = {
    onPointerDown(event: PointerEvent<HTMLCanvasElement>): void {
      if (event.button !== 0 || tool === 'hand') return
      event.preventDefault()
      event.currentTarget.setPointerCapture(event.pointerId)
      const point = pointOf(event)
      gesture.current = { points: [point] }
      if (tool === 'brush' || tool === 'eraser') draw(point, point)
    },
    onPointerMove(event: PointerEvent<HTMLCanvasElement>): void {
      const points = gesture.current?.points
      if (!points) return
      if (tool === 'brush' || tool === 'eraser') {
        // The browser reports a move per frame; the pointer made several.
        const moves = event.nativeEvent.getCoalescedEvents()
        for (const move of moves.length > 0 ? moves : [event.nativeEvent]) {
          const point = pointOf(move)
          draw(points.at(-1) ?? point, point)
          points.push(point)
        }
      } else if (points[0]) onBox(boxOf(points[0], pointOf(event), size))
    },
    onPointerUp(event: PointerEvent<HTMLCanvasElement>): void {
      const points = gesture.current?.points
      gesture.current = undefined
      onBox(undefined)
      if (!points?.[0]) return
      if (tool === 'brush' || tool === 'eraser') commit({ kind: tool, size: brushSize, points }, true)
      else if (tool === 'rectangle' || tool === 'ellipse') {
        const box = boxOf(points[0], pointOf(event), size)
        if (box) commit({ kind: tool, ...box }, false)
      }
    },
    onPointerCancel(): void {
      if (!gesture.current) return
      gesture.current = undefined
      onBox(undefined)
      // What was drawn of it is removed.
      shown.current = undefined
      onChange({ ...state }, shareOf(rasterize(strokesOf(state), size)))
    },
  }
  return { canvas, handlers, apply: (stroke: Stroke) => commit(stroke, false) }
}
