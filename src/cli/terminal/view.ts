import type { Screen } from '../screen.ts'
import type { TaskState } from '../demo/operations.ts'

export interface View {
  /** The line stays. */
  print(line: string): void
  update(state: TaskState): void
  /** `tint` is 0..1: the share of red. */
  showImage(bytes: Uint8Array, tint: number): Promise<void>
  /** The last image stays. */
  close(): Promise<void>
}

/** One line per change, without control characters: for files, pipes and CI. */
export function createPlainView(screen: Screen): View {
  let last = ''
  return {
    print: (line) => screen.write(`${line}\n`),
    update: (state) => {
      const line = `  ${percent(state.progress)}  ${stateText(state)}`
      if (line !== last) screen.write(`${line}\n`)
      last = line
    },
    showImage: async () => {},
    close: async () => {},
  }
}

/** Constant width. */
export function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)}%`.padStart(4)
}

export function stateText({ status, queuePosition }: TaskState): string {
  return queuePosition ? `${STATES[status]}, ${queuePosition} ahead` : STATES[status]
}

const STATES = {
  QUEUED: 'queued',
  RUNNING: 'running',
  SUCCEEDED: 'done',
  OUTCOME_UNKNOWN: 'outcome unknown',
  FAILED: 'failed',
  CANCELED: 'canceled',
} as const
