import { useState } from 'react'
import { FetchResult } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'

/** Has a missing image downloaded again, which costs nothing. */
export function FetchButton({ id }: { id: string }) {
  const { connection } = useSession()
  const [text, setText] = useState('')
  async function fetchResult(): Promise<void> {
    try {
      await connection.change(FetchResult, { id }, true)
      setText('The download is due. The image appears in the task.')
    } catch (error) {
      setText((error as Error).message)
    }
  }
  return (
    <div>
      <button type="button" className="button" onClick={() => void fetchResult()}>
        <Icon name="download" /> Download the missing image
      </button>
      <p role="status" className="muted">
        {text}
      </p>
    </div>
  )
}
