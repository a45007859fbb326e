/**
 * Rejects when the signal aborts. undici notices an abort only once it is connected; until then the caller would wait for
 * the connect timeout. An aborted request is never sent: undici refuses to start it.
 */
export function untilAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const settled = () => signal.removeEventListener('abort', abort)
    pending.finally(settled).then(resolve, reject)
  })
}
