// Time limits that count only while the event loop runs. A process without CPU time would else refuse every request,
// although the database responds.
import { performance } from 'node:perf_hooks'

const TICK_MS = 100
/** A longer stall of the event loop counts as this. */
const MAX_STALL_MS = 250

let users = 0
let passedMs = 0
let tickedAt = 0
let ticking: NodeJS.Timeout | undefined

/** Stands still while nothing waits. */
export function turnTime(): number {
  return ticking ? passedMs + Math.min(performance.now() - tickedAt, MAX_STALL_MS) : passedMs
}

/** Returns a function that cancels the call. */
export function afterTurnTime(ms: number, call: () => void): () => void {
  start()
  const endsAt = turnTime() + ms
  let timer = setTimeout(check, ms)
  let isOver = false

  function check(): void {
    const leftMs = endsAt - turnTime()
    if (leftMs > 1) {
      timer = setTimeout(check, leftMs)
      return
    }
    cancel()
    call()
  }

  function cancel(): void {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    stop()
  }

  return cancel
}

function start(): void {
  if (users++ > 0) return
  tickedAt = performance.now()
  ticking = setInterval(tick, TICK_MS).unref()
}

function tick(): void {
  passedMs = turnTime()
  tickedAt = performance.now()
}

function stop(): void {
  if (--users > 0) return
  passedMs = turnTime()
  clearInterval(ticking)
  ticking = undefined
}
