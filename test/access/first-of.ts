/** The answer, or the beginning of one that goes on. */
export async function firstOf(response: Response): Promise<string> {
  const reader = response.body!.getReader()
  let text = ''
  const decoder = new TextDecoder()
  const late = pause().then(() => ({ value: undefined, done: true }))
  while (!/\n\n|\}$/.test(text)) {
    const { value, done } = await Promise.race([reader.read(), late])
    if (done) break
    // A ping arrives with the first event or before it.
    text = (text + decoder.decode(value)).replaceAll(/^:\n\n/gm, '')
  }
  await reader.cancel()
  return text
}

/** As long as a server may take to say something. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500))
}
