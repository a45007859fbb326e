import { systemClock, type Clock } from '../../clock.ts'
import type { Screen } from '../screen.ts'
import { createLiveView } from './live-view.ts'
import { percent } from './progress-bar.ts'
import { stateText } from './state-text.ts'
import type { View } from './view.ts'

/** Something alive on a terminal, one line per event elsewhere. */
export function openView(screen: Screen, clock: Clock = systemClock): View {
  return screen.isTerminal ? createLiveView(screen, clock) : createPlainView(screen)
}

/** One line for each thing that happened and not one control character: for files, pipes and CI. */
function createPlainView(screen: Screen): View {
  let last = ''
  return {
    say: (line) => screen.write(`${line}\n`),
    moved: (state) => {
      const line = `  ${percent(state.progress)}  ${stateText(state)}`
      if (line !== last) screen.write(`${line}\n`)
      last = line
    },
    picture: async () => {},
    close: async () => {},
  }
}
