// The lower end of a terminal, drawn over and over: the picture as far as it has come, and the bar below it. Lines that
// stay are written above.
import type { Clock } from '../../clock.ts'
import type { Screen } from '../screen.ts'
import { decodePicture, develop, paper, pictureLines, underSafelight, type Pixels } from './picture.ts'
import { bar, glide, percent } from './progress-bar.ts'
import type { TaskState } from './replies.ts'
import { stateText } from './state-text.ts'
import type { View } from './view.ts'

const FRAME_MS = 40
// A picture is some 40 kB of colours, and the terminal may be at the other end of a slow line.
const PICTURE_FRAME_MS = 80
const DEVELOP_MS = 900
const INDENT = '  '
// Rows kept free around the picture: the bar, a blank line, and some of what was said before.
const ROWS_AROUND = 8
const SMALLEST_ROWS = 6

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_TO_RIGHT = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

/** An animated view. The cursor is hidden until it closes. */
export function createLiveView(screen: Screen, clock: Clock): View {
  const ending = new AbortController()
  let state: TaskState | undefined
  let shown = 0
  let picture: Development | undefined
  let drawnRows = 0

  screen.write(HIDE_CURSOR)
  const animation = animate()

  return {
    say(line) {
      erase()
      screen.write(`${line}\n`)
      draw()
    },
    moved(next) {
      state = next
    },
    async picture(bytes, safelight) {
      if (!screen.isTruecolor || roomFor(screen).rows < SMALLEST_ROWS) return
      const decoded = await decodePicture(bytes, roomFor(screen))
      if (decoded === undefined || ending.signal.aborted) return
      const next = underSafelight(decoded, safelight)
      picture = { from: picture ? now(picture) : paper(next), to: next, startedAt: clock.now(), drawnAt: 0 }
      draw()
    },
    async close() {
      if (ending.signal.aborted) return
      await settle()
      ending.abort()
      await animation
      erase()
      if (picture) screen.write(`${framed(picture.to).join('\n')}\n\n`)
      screen.write(SHOW_CURSOR)
    },
  }

  async function animate(): Promise<void> {
    for (let last = clock.now(); !ending.signal.aborted;) {
      await clock.sleep(FRAME_MS, ending.signal)
      const at = clock.now()
      if (state) shown = glide(shown, state.progress, at - last)
      last = at
      if (!ending.signal.aborted) draw()
    }
  }

  /** Lets the bar and the finished picture arrive. */
  async function settle(): Promise<void> {
    const deadline = clock.now() + 2 * DEVELOP_MS
    while (isMoving() && clock.now() < deadline) await clock.sleep(FRAME_MS)
  }

  function isMoving(): boolean {
    return state?.status === 'SUCCEEDED' && (shown < 1 || (picture !== undefined && fractionOf(picture) < 1))
  }

  function draw(): void {
    if (!state || ending.signal.aborted) return
    const line = barLine(state)
    if (picture === undefined || (drawnRows > 1 && !needsFrame(picture))) {
      screen.write(`\r${line}${CLEAR_TO_RIGHT}`)
      drawnRows = Math.max(drawnRows, 1)
      return
    }
    picture.drawnAt = clock.now()
    const rows = [...framed(now(picture)), '', line]
    screen.write(atOnce(toTop() + rows.map((row) => row + CLEAR_TO_RIGHT).join('\n') + CLEAR_BELOW))
    drawnRows = rows.length
  }

  function needsFrame({ startedAt, drawnAt }: Development): boolean {
    return drawnAt < startedAt + DEVELOP_MS && clock.now() - drawnAt >= PICTURE_FRAME_MS
  }

  function erase(): void {
    if (drawnRows > 0) screen.write(toTop() + CLEAR_BELOW)
    drawnRows = 0
  }

  function toTop(): string {
    return drawnRows > 1 ? `\x1b[${drawnRows - 1}A\r` : '\r'
  }

  function barLine(current: TaskState): string {
    const text = `  ${stateText(current)}`
    const width = Math.max(8, Math.min(48, screen.size().columns - INDENT.length - 6 - text.length))
    return `${INDENT}${bar(shown, width, screen.paint)} ${percent(shown)}${screen.paint('dim', text)}`
  }

  function fractionOf({ startedAt }: Development): number {
    return (clock.now() - startedAt) / DEVELOP_MS
  }

  function now(development: Development): Pixels {
    return develop(development.from, development.to, fractionOf(development))
  }
}

/** One frame, never half of it: https://github.com/contour-terminal/vt-extensions, "Synchronized Output". */
function atOnce(frame: string): string {
  return `\x1b[?2026h${frame}\x1b[?2026l`
}

interface Development {
  from: Pixels
  to: Pixels
  startedAt: number
  /** When it was last put on the screen; 0 before that. */
  drawnAt: number
}

function framed(pixels: Pixels): string[] {
  return pictureLines(pixels).map((line) => INDENT + line)
}

function roomFor(screen: Screen): { columns: number; rows: number } {
  const { columns, rows } = screen.size()
  return { columns: columns - 2 * INDENT.length, rows: rows - ROWS_AROUND }
}
