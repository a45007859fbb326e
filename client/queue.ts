import { connectionLost } from './errors.ts'

/** Items that arrive before they are read. Beyond, the queue ends as if the connection were lost, and its reader resumes. */
const MAX_WAITING = 1_000

export interface Queue<Item> {
  push: (item: Item) => void
  /** Ends it after the items so far: with the error, if there is one. */
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
