/** The response, or the first event of a stream. Empty after RESPONSE_TIMEOUT_MS. */
export async function readFirstResult(response: Response): Promise<string> {
  const reader = response.body!.getReader()
  let text = ''
  const decoder = new TextDecoder()
  const timeout = waitForTimeout().then(() => ({ value: undefined, done: true }))
  while (!/\n\n|\}$/.test(text)) {
    const { value, done } = await Promise.race([reader.read(), timeout])
    if (done) break
    // A ping arrives with the first event or before it.
    text = (text + decoder.decode(value)).replaceAll(/^:\n\n/gm, '')
  }
  await reader.cancel()
  return text
}

export const RESPONSE_TIMEOUT_MS = 500

/** Resolves after RESPONSE_TIMEOUT_MS. */
export function waitForTimeout(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RESPONSE_TIMEOUT_MS))
}
