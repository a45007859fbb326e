// Runs calls of a client that arrive over IPC, and sends back how each ended and what it sent.
import process from 'node:process'

const systemFetch = globalThis.fetch

/** `open` creates the client with a `fetch` that counts. */
export function serve(runs, open) {
  process.on('disconnect', () => process.exit())
  async function answer({ id, run, params = {}, options = {}, ...from }) {
    const requests = []
    const fetchCounted = async (input, init) => {
      const sent = new Request(input, { ...init, body: undefined, method: init?.method ?? 'GET' })
      const record = { url: sent.url, headers: Object.fromEntries(sent.headers), status: null }
      requests.push(record)
      const response = await systemFetch(input, init)
      record.status = response.status
      record.reply = Object.fromEntries(response.headers)
      return response
    }
    try {
      const value = await runs[run](await open(from, fetchCounted), params, options)
      process.send({ id, requests, value: value ?? null })
    } catch (error) {
      process.send({ id, requests, error: describe(error) })
    }
  }
  process.on('message', (message) => void answer(message))
}

function describe(error) {
  const cause = error.lastError ?? error
  return {
    name: cause.constructor.name,
    message: String(cause.message),
    status: cause.status ?? cause.statusCode ?? null,
    code: cause.code ?? null,
    param: cause.param ?? null,
    type: cause.type ?? null,
    error: cause.error ?? cause.data?.error ?? null,
  }
}
