// The API key: in the memory of the open tabs, which give it to new ones. In sessionStorage only if the user chose that.
const STORED = 'darkroom-key'
const CHANNEL = 'darkroom-session'
/** Other tabs answer in milliseconds. */
const OTHER_TABS_MS = 150

type Message = { type: 'request' } | { type: 'key'; key: string } | { type: 'lock' }

export interface KeyHolder {
  /** From the storage of this tab, or from another tab. */
  find: () => Promise<string | undefined>
  /** What was found or set. */
  read: () => string | undefined
  set: (key: string, isKept: boolean) => void
  /** In all tabs. */
  forget: () => void
}

/** `onLock`: another tab was locked. */
export function createKeyHolder(onLock: () => void): KeyHolder {
  const channel = new BroadcastChannel(CHANNEL)
  let current: string | undefined
  let waiting: ((key: string) => void) | undefined

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
  const send = (message: Message) => channel.postMessage(message)
  const drop = () => {
    current = undefined
    sessionStorage.removeItem(STORED)
  }

  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.type === 'request' && current !== undefined) send({ type: 'key', key: current })
    else if (data.type === 'key') waiting?.(data.key)
    else if (data.type === 'lock') {
      drop()
      onLock()
    }
  })

  return {
    async find() {
      current ??= sessionStorage.getItem(STORED) ?? undefined
      if (current !== undefined) return current
      send({ type: 'request' })
      current = await new Promise<string | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), OTHER_TABS_MS)
        waiting = (key) => {
          clearTimeout(timer)
          resolve(key)
        }
      })
      waiting = undefined
      return current
    },
    read: () => current,
    set(key, isKept) {
      current = key
      if (isKept) sessionStorage.setItem(STORED, key)
    },
    forget() {
      drop()
      send({ type: 'lock' })
    },
  }
}
