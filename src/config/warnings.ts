// What is allowed, and probably not meant.
import type { Provider } from '../providers/provider.ts'
import { isLoopback } from './host.ts'

/** The longest that an image usually takes. */
const USUAL_CALL_MS = 240_000

/** Sentences about settings that each make sense, and together lose money or time. */
export function doubtsAbout(settings: {
  publicUrl: string | null
  engine: { drainTimeoutMs: number }
  providers: readonly Provider[]
}): string[] {
  return [...aboutCallbacks(settings), ...aboutDraining(settings)]
}

function aboutCallbacks({
  publicUrl,
  providers,
}: {
  publicUrl: string | null
  providers: readonly Provider[]
}): string[] {
  const called = providers.filter(({ traits, loopback }) => !loopback && traits.modes.includes('CALLBACK'))
  if (publicUrl === null || called.length === 0) return []
  const { protocol, hostname } = new URL(publicUrl)
  const who = called.map(({ name }) => `\`${name}\``).join(' and ')
  if (isLoopback(hostname))
    return [
      `PUBLIC_URL is "${publicUrl}", where ${who} cannot call back: results are found by asking, which takes longer.`,
    ]
  if (protocol === 'https:') return []
  return [
    `PUBLIC_URL is "${publicUrl}", so ${who} calls back unencrypted: whoever is on the way can forge a hint. Use https.`,
  ]
}

/** A call that is polled for is found again by the next process; one that waits on the line is lost, and paid. */
function aboutDraining({
  engine: { drainTimeoutMs },
  providers,
}: {
  engine: { drainTimeoutMs: number }
  providers: readonly Provider[]
}): string[] {
  const waiting = providers.filter(({ traits }) => traits.modes[0] === 'SYNC' || traits.modes[0] === 'STREAM')
  const short = waiting.filter(({ timeoutMs }) => drainTimeoutMs < Math.min(timeoutMs, USUAL_CALL_MS))
  if (short.length === 0) return []
  const who = short.map(({ name }) => `\`${name}\``).join(' and ')
  return [
    `engine.drainTimeoutMs is ${drainTimeoutMs}, and a call to ${who} may take ${USUAL_CALL_MS}: stopping cuts calls that are charged all the same.`,
  ]
}
