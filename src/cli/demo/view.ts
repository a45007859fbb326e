import type { TaskState } from './replies.ts'

/** Where the demo shows what happens. */
export interface View {
  /** A line that stays. */
  say(line: string): void
  /** The task moved; may be called with the same state again. */
  moved(state: TaskState): void
  /** A picture arrived. `safelight` is 0..1: how much of the darkroom's red still lies on it. */
  picture(bytes: Uint8Array, safelight: number): Promise<void>
  /** Leaves the last picture where it is and draws nothing over it any more. */
  close(): Promise<void>
}
