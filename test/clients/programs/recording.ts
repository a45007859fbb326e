/** A `fetch` that notes whether each request has a document and a hash. */
export function recordingFetch() {
  const requests: { method: string; hasQuery: boolean; hasHash: boolean }[] = []
  const send: typeof fetch = (input, init) => {
    const target = input instanceof Request ? input.url : String(input)
    const given = `${target} ${typeof init?.body === 'string' ? init.body : ''}`
    requests.push({
      method: init?.method ?? 'GET',
      hasQuery: /[?&]query=|"query":"/.test(given),
      hasHash: given.includes('sha256Hash'),
    })
    return fetch(input, init)
  }
  return { requests, send }
}

export const print = (result: unknown): boolean => process.stdout.write(JSON.stringify(result))
