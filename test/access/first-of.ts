/** The answer, or the beginning of one that goes on. */
export async function firstOf(response: Response): Promise<string> {
  const reader = response.body!.getReader()
  let text = ''
  const decoder = new TextDecoder()
  while (!/\n\n|\}$/.test(text)) {
    const { value, done } = await Promise.race([
      reader.read(),
      pause().then(() => ({ value: undefined, done: true })),
    ])
    if (done) break
    text += decoder.decode(value)
  }
  await reader.cancel()
  return text
}

/** As long as a server may take to say something. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500))
}
