import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { SendTest } from '../api/generated.ts'
import { useOnline } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import parts from '../ui/parts.module.css'
import { tryText } from './texts.ts'
import { nextTry } from './use-delivery.ts'

interface TestButtonProps {
  /** Of the webhook. */
  id: string
  isEnabled: boolean
  /** After the message was sent. */
  onEnd: () => void
}

interface Result {
  text: string
  isGood: boolean
  /** Id of the delivery. Undefined if there is none. */
  delivery?: string
}

/** Sends a test message, and shows the response of the receiver. */
export function TestButton({ id, isEnabled, onEnd }: TestButtonProps) {
  const { connection } = useSession()
  const isOnline = useOnline()
  const [isBusy, setIsBusy] = useState(false)
  const [result, setResult] = useState<Result>()

  async function send(): Promise<void> {
    setIsBusy(true)
    setResult(undefined)
    try {
      const { delivery } = await connection.change(SendTest, { id })
      if (!delivery) return
      const { state, tries } = await nextTry(connection, delivery.id, 0)
      const last = tries.at(-1)
      const text = last ? tryText(last) : 'No try within 20 seconds'
      setResult({ text, isGood: state === 'SUCCEEDED', delivery: delivery.id })
    } catch (error) {
      setResult({ text: (error as Error).message, isGood: false })
    } finally {
      setIsBusy(false)
      onEnd()
    }
  }

  return (
    <span className={parts['row']}>
      <button
        type="button"
        className="button"
        disabled={isBusy || !isOnline || !isEnabled}
        onClick={() => void send()}
      >
        {isBusy ? 'Sending' : 'Send a test'}
      </button>
      <span role="status" className={result && parts[result.isGood ? 'good' : 'bad']}>
        {result?.delivery === undefined ? (
          result?.text
        ) : (
          <Link to="/webhooks/deliveries/$id" params={{ id: result.delivery }}>
            {result.text}
          </Link>
        )}
      </span>
    </span>
  )
}
