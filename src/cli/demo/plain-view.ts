import type { Screen } from '../screen.ts'
import { percent } from './progress-bar.ts'
import type { TaskState } from './replies.ts'
import { stateText } from './state-text.ts'
import type { View } from './view.ts'

/** One line for each thing that happened and not one control character: for files, pipes and CI. */
export function createPlainView(screen: Screen): View {
  let last = ''
  return {
    say: (line) => screen.write(`${line}\n`),
    moved: (state: TaskState) => {
      const line = `  ${percent(state.progress)}  ${stateText(state)}`
      if (line !== last) screen.write(`${line}\n`)
      last = line
    },
    picture: async () => {},
    close: async () => {},
  }
}
