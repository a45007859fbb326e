// Redraws the lower end of a terminal: latest image and progress bar. Printed lines stay above.
import type { Clock } from '../../clock.ts'
import { formatMs } from '../format.ts'
import type { Screen } from '../screen.ts'
import type { TaskState } from '../demo/operations.ts'
import { advance, bar } from './progress-bar.ts'
import { blankLike, crossFade, decodeImage, imageLines, tintRed, type Pixels } from './blocks.ts'
import type { Estimate } from './estimate.ts'
import { inlineImage, type Space } from './inline-image.ts'
import type { ImageProtocol } from './protocol.ts'
import { percent, stateText, type View } from './view.ts'

const FRAME_MS = 40
// About 40 kB of color codes: connections may be slow.
const IMAGE_FRAME_MS = 80
const FADE_MS = 900
const INDENT = '  '
// The bar, a blank line and printed lines.
const ROWS_AROUND_IMAGE = 8
const MIN_IMAGE_ROWS = 6

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_TO_RIGHT = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

interface Transition {
  from: Pixels
  to: Pixels
  startedAt: number
  /** 0 before the first frame. */
  drawnAt: number
}

/** Hides the cursor until it closes. Draws blocks, at the end the last image with `protocol`. */
export function createLiveView(
  screen: Screen,
  clock: Clock,
  { protocol = 'blocks', estimate }: { protocol?: ImageProtocol; estimate?: Estimate } = {},
): View {
  const closing = new AbortController()
  let state: TaskState | undefined
  let shown = 0
  let image: Transition | undefined
  let last: Uint8Array | undefined
  let drawnRows = 0

  screen.write(HIDE_CURSOR)
  const animation = animate()

  return {
    print(line) {
      erase()
      screen.write(`${line}\n`)
      draw()
    },
    update(next) {
      state = next
    },
    async showImage(bytes, tint) {
      last = bytes
      if (protocol === 'none' || !screen.isTruecolor || spaceFor(screen).rows < MIN_IMAGE_ROWS) return
      const decoded = await decodeImage(bytes, spaceFor(screen))
      if (decoded === undefined || closing.signal.aborted) return
      const next = tintRed(decoded, tint)
      const from = image ? currentPixels(image) : blankLike(next)
      image = { from, to: next, startedAt: clock.now(), drawnAt: 0 }
      draw()
    },
    async close() {
      if (closing.signal.aborted) return
      await settle()
      closing.abort()
      await animation
      erase()
      const graphics =
        last && protocol !== 'blocks' ? await inlineImage(last, protocol, spaceFor(screen)) : undefined
      if (graphics !== undefined) screen.write(`${graphics}\n`)
      else if (image) screen.write(`${indentedLines(image.to).join('\n')}\n\n`)
      screen.write(SHOW_CURSOR)
    },
  }

  async function animate(): Promise<void> {
    for (let drawnAt = clock.now(); !closing.signal.aborted;) {
      await clock.sleep(FRAME_MS, closing.signal)
      const now = clock.now()
      if (state) shown = advance(shown, progressOf(state, now), now - drawnAt)
      drawnAt = now
      if (!closing.signal.aborted) draw()
    }
  }

  /** Reported, or estimated if more. */
  function progressOf({ progress, status, startedAt }: TaskState, now: number): number {
    if (status !== 'RUNNING' || !startedAt || !estimate) return progress
    return Math.max(progress, estimate.fraction(now - Date.parse(startedAt)))
  }

  function remainingMs({ status, startedAt }: TaskState): number | null {
    if (status !== 'RUNNING' || !startedAt || !estimate) return null
    return estimate.remainingMs(clock.now() - Date.parse(startedAt))
  }

  /** Waits for the complete bar and image. */
  async function settle(): Promise<void> {
    const deadline = clock.now() + 2 * FADE_MS
    while (isMoving() && clock.now() < deadline) await clock.sleep(FRAME_MS)
  }

  function isMoving(): boolean {
    return state?.status === 'SUCCEEDED' && (shown < 1 || (image !== undefined && fractionOf(image) < 1))
  }

  function draw(): void {
    if (!state || closing.signal.aborted) return
    const line = barLine(state)
    if (image === undefined || (drawnRows > 1 && !needsFrame(image))) {
      screen.write(`\r${line}${CLEAR_TO_RIGHT}`)
      drawnRows = Math.max(drawnRows, 1)
      return
    }
    image.drawnAt = clock.now()
    const rows = [...indentedLines(currentPixels(image)), '', line]
    screen.write(synchronized(toTop() + rows.map((row) => row + CLEAR_TO_RIGHT).join('\n') + CLEAR_BELOW))
    drawnRows = rows.length
  }

  function needsFrame({ startedAt, drawnAt }: Transition): boolean {
    return drawnAt < startedAt + FADE_MS && clock.now() - drawnAt >= IMAGE_FRAME_MS
  }

  function erase(): void {
    if (drawnRows > 0) screen.write(toTop() + CLEAR_BELOW)
    drawnRows = 0
  }

  function toTop(): string {
    return drawnRows > 1 ? `\x1b[${drawnRows - 1}A\r` : '\r'
  }

  function barLine(current: TaskState): string {
    const left = remainingMs(current)
    const text = `  ${stateText(current)}${left === null ? '' : `, about ${secondsText(left)} left`}`
    const width = Math.max(8, Math.min(48, screen.size().columns - INDENT.length - 6 - text.length))
    return `${INDENT}${bar(shown, width, screen.paint)} ${percent(shown)}${screen.paint('dim', text)}`
  }

  function fractionOf({ startedAt }: Transition): number {
    return (clock.now() - startedAt) / FADE_MS
  }

  function currentPixels(transition: Transition): Pixels {
    return crossFade(transition.from, transition.to, fractionOf(transition))
  }
}

/** Shows a frame at once: github.com/contour-terminal/vt-extensions, "Synchronized Output". */
function synchronized(frame: string): string {
  return `\x1b[?2026h${frame}\x1b[?2026l`
}

function indentedLines(pixels: Pixels): string[] {
  return imageLines(pixels).map((line) => INDENT + line)
}

/** Whole seconds, at least 1. */
function secondsText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000))
  return seconds < 60 ? `${seconds} s` : formatMs(seconds * 1_000)
}

function spaceFor(screen: Screen): Space {
  const { columns, rows } = screen.size()
  return { columns: columns - 2 * INDENT.length, rows: rows - ROWS_AROUND_IMAGE }
}
