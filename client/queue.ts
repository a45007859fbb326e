import { connectionLost } from './errors.ts'

/** Of waiting items. Beyond, the queue ends like a lost connection, and its reader resumes. */
const MAX_WAITING = 1_000

export interface Queue<Item> {
  push: (item: Item) => void
  /** After the items so far: with the error, if any. */
  end: (error?: unknown) => void
  items: () => AsyncGenerator<Item, void>
}

export function createQueue<Item>(): Queue<Item> {
  const waiting: Item[] = []
  let isEnded = false
  let problem: unknown
  let wake: (() => void) | undefined
  const end = (error?: unknown) => {
    if (isEnded) return
    isEnded = true
    problem = error
    wake?.()
  }
  return {
    push(item) {
      if (isEnded) return
      if (waiting.length >= MAX_WAITING)
        return end(connectionLost(`More than ${MAX_WAITING} events wait for their reader.`))
      waiting.push(item)
      wake?.()
    },
    end,
    async *items() {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift()!
        if (isEnded) break
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (problem !== undefined) throw problem
    },
  }
}
