import { currentStep } from './priority.ts'
import { turnTime } from './turn-clock.ts'

interface Use extends Disposable {
  /** Of all uses of the step until now. Concurrent ones count once. */
  readonly ms: number
}

/** Returns a function that begins a use, which lasts until it is disposed of. Outside of a step each use counts alone. */
export function createStepTimes(): () => Use {
  const times = new WeakMap<object, BusyTime>()
  return () => {
    const step = currentStep()
    const time = (step && times.get(step)) ?? new BusyTime()
    if (step) times.set(step, time)
    time.begin()
    return {
      get ms() {
        return time.ms
      },
      [Symbol.dispose]: () => time.end(),
    }
  }
}

class BusyTime {
  #uses = 0
  #since = 0
  #pastMs = 0

  begin(): void {
    if (this.#uses++ === 0) this.#since = turnTime()
  }

  end(): void {
    if (--this.#uses === 0) this.#pastMs += turnTime() - this.#since
  }

  /** During a use. */
  get ms(): number {
    return this.#pastMs + turnTime() - this.#since
  }
}
