// The state of the live connection in words.

export type Link =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `since`: the time of the last data. */
  | { state: 'reconnecting'; since: number }
  | { state: 'caught-up'; count: number }
  | { state: 'paused' }

/**
 * Counts the events that were missed: those up to the cursor of the present, which is read after a connection was opened
 * again. Events may arrive before that cursor.
 */
export function createCatchUp() {
  let received: string[] | undefined
  let target: string | undefined
  return {
    start(): void {
      received = []
      target = undefined
    },
    /** Each returns the number of missed events once it is known. */
    event(cursor: string): number | undefined {
      received?.push(cursor)
      return count()
    },
    present(cursor: string, last: string | undefined): number | undefined {
      if (cursor === last) return end(0)
      target = cursor
      return count()
    },
  }

  function count(): number | undefined {
    const index = target === undefined ? -1 : (received?.indexOf(target) ?? -1)
    return index === -1 ? undefined : end(index + 1)
  }

  function end(result: number): number {
    received = undefined
    target = undefined
    return result
  }
}
