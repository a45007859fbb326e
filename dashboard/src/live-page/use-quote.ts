import { useEffect, useState } from 'react'
import { Quote } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { useSession } from '../session/context.ts'

const DEBOUNCE_MS = 300

/** What the request would cost at its first provider, in the words of the page. Empty without a prompt. */
export function useQuote(prompt: string, size: string, partialImages: number): { text: string } {
  const { connection, may } = useSession()
  const [text, setText] = useState('')
  const trimmed = prompt.trim()
  const isReader = may('READ')
  useEffect(() => {
    if (trimmed === '' || !isReader) {
      setText('')
      return undefined
    }
    const abort = new AbortController()
    const read = async () => {
      const input = { prompt: trimmed, size, partialImages }
      const { offers, refusals } = await connection.read(Quote, { input }, abort.signal)
      const [first] = offers
      if (!first) setText(refusals[0]?.message ?? 'No provider can make this')
      else if (first.provider.dialect === 'sandbox')
        setText(`Sandbox, free; counted as ${formatMoney(first.expectedMicros)}`)
      else if (first.expectedMicros === null) setText(`${first.provider.name}, price unknown`)
      else setText(`${first.provider.name}, about ${formatMoney(first.expectedMicros)}`)
    }
    const timer = setTimeout(() => void read().catch(() => setText('')), DEBOUNCE_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [connection, isReader, trimmed, size, partialImages])
  return { text }
}
