import { systemClock, type Clock } from '../../clock.ts'
import type { Screen } from '../screen.ts'
import { createLiveView } from './live-view.ts'
import { createPlainView } from './plain-view.ts'
import type { View } from './view.ts'

/** Something alive on a terminal, one line per event elsewhere. */
export function openView(screen: Screen, clock: Clock = systemClock): View {
  return screen.isTerminal ? createLiveView(screen, clock) : createPlainView(screen)
}
