import { useEffect, useState } from 'react'
import { QuoteStudio, ReadBudgets, type QuoteInput, type StudioQuote } from '../api/generated.ts'
import { useSession } from '../session/context.ts'

const DEBOUNCE_MS = 300

export interface QuoteView {
  /** Of the last input that was quoted. */
  quote: StudioQuote | undefined
  error: Error | undefined
  /** The input has changed since. */
  isStale: boolean
}

/** Undefined input: nothing can be quoted. */
export function useQuote(input: QuoteInput | undefined): QuoteView {
  const { connection } = useSession()
  const [view, setView] = useState<{ text: string; quote?: StudioQuote; error?: Error }>({ text: '' })
  const text = input ? JSON.stringify(input) : ''
  useEffect(() => {
    if (text === '') return undefined
    const abort = new AbortController()
    const read = async () => {
      const variables = { input: JSON.parse(text) as QuoteInput }
      const quote = await connection.read(QuoteStudio, variables, abort.signal)
      setView({ text, quote })
    }
    const timer = setTimeout(() => {
      read().catch((error: unknown) => {
        if (!abort.signal.aborted) setView({ text, error: error as Error })
      })
    }, DEBOUNCE_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [connection, text])
  if (text === '') return { quote: undefined, error: undefined, isStale: false }
  return { quote: view.quote, error: view.error, isStale: view.text !== text }
}

/** What the tightest budget of the project has left. Undefined without a budget, and without the right to read it. */
export function useRemainingBudget(renewal: unknown): { period: string; micros: number } | undefined {
  const { connection, may } = useSession()
  const [left, setLeft] = useState<{ period: string; micros: number }>()
  const isReporter = may('REPORT')
  useEffect(() => {
    if (!isReporter) return undefined
    const abort = new AbortController()
    const read = async () => {
      const { budgets } = await connection.read(ReadBudgets, {}, abort.signal)
      const limited = budgets.flatMap(({ period, remainingMicros }) =>
        remainingMicros === null ? [] : [{ period, micros: remainingMicros }],
      )
      setLeft(limited.toSorted((a, b) => a.micros - b.micros)[0])
    }
    // A detail beside the cost: without it the form still works.
    read().catch(() => {})
    return () => abort.abort()
  }, [connection, isReporter, renewal])
  return left
}
