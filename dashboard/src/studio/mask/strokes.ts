// A mask as the strokes that made it, with undo and redo.

export interface Point {
  x: number
  y: number
}

/** In pixels of the image. */
export type Stroke =
  | { kind: 'brush' | 'eraser'; size: number; points: readonly Point[] }
  | { kind: 'rectangle' | 'ellipse'; x: number; y: number; width: number; height: number }
  | { kind: 'invert' }
  | { kind: 'clear' }
  /** The whole mask, of the size of the image: 1 is redrawn. */
  | { kind: 'import'; pixels: Uint8Array }

export interface MaskState {
  /** Too old to be undone. */
  base: readonly Stroke[]
  done: readonly Stroke[]
  undone: readonly Stroke[]
}

export const EMPTY_MASK: MaskState = { base: [], done: [], undone: [] }
export const MAX_UNDO_STEPS = 50

export function strokesOf({ base, done }: MaskState): readonly Stroke[] {
  return [...base, ...done]
}

export function addStroke({ base, done }: MaskState, stroke: Stroke): MaskState {
  const all = [...done, stroke]
  const old = all.slice(0, -MAX_UNDO_STEPS)
  return { base: [...base, ...old], done: all.slice(-MAX_UNDO_STEPS), undone: [] }
}

export function undo(state: MaskState): MaskState {
  const last = state.done.at(-1)
  if (!last) return state
  return { ...state, done: state.done.slice(0, -1), undone: [...state.undone, last] }
}

export function redo(state: MaskState): MaskState {
  const next = state.undone.at(-1)
  if (!next) return state
  return { ...state, done: [...state.done, next], undone: state.undone.slice(0, -1) }
}

/** A rectangle by two corners, in whole pixels within the image. Undefined if nothing of it is. */
export function boxOf(
  from: Point,
  to: Point,
  { width, height }: { width: number; height: number },
): { x: number; y: number; width: number; height: number } | undefined {
  const left = Math.max(0, Math.round(Math.min(from.x, to.x)))
  const top = Math.max(0, Math.round(Math.min(from.y, to.y)))
  const right = Math.min(width, Math.round(Math.max(from.x, to.x)))
  const bottom = Math.min(height, Math.round(Math.max(from.y, to.y)))
  return right > left && bottom > top
    ? { x: left, y: top, width: right - left, height: bottom - top }
    : undefined
}
