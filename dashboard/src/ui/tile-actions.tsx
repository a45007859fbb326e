import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Cancel, Retry, type LiveTask } from '../api/generated.ts'
import { useOnline } from '../live/hooks.ts'
import { isRunning } from '../live/task-store.ts'
import { useSession } from '../session/context.ts'
import { Icon } from './icon.tsx'

const SHOWN_MS = 1_500

/** What can be done with a task without opening it. A run that may be charged twice is on its page only. */
export function TileActions({ task, className }: { task: LiveTask; className: string | undefined }) {
  const { connection, store, may } = useSession()
  const isOnline = useOnline()
  const [isBusy, setIsBusy] = useState(false)
  const [note, setNote] = useState<string>()
  const { id, prompt, status } = task
  const result = task.images[0]
  const other = task.images[1] ?? task.partialImages.at(-1)?.image

  async function run(change: () => Promise<{ task: LiveTask | null }>): Promise<void> {
    setIsBusy(true)
    try {
      const { task: next } = await change()
      if (next) store.put([next])
    } catch (error) {
      show((error as Error).message)
    } finally {
      setIsBusy(false)
    }
  }

  function show(text: string): void {
    setNote(text)
    setTimeout(() => setNote(undefined), SHOWN_MS)
  }

  return (
    <span className={className} data-actions>
      {may('GENERATE') && isRunning(task) && !task.cancelRequested && (
        <button
          type="button"
          title="Cancel; the provider may still charge"
          disabled={isBusy || !isOnline}
          onClick={() => void run(() => connection.change(Cancel, { id }))}
        >
          <Icon name="stop" />
          <span className="hidden">Cancel: {prompt}</span>
        </button>
      )}
      {may('GENERATE') && (status === 'FAILED' || status === 'CANCELED') && (
        <button
          type="button"
          title="Run again"
          disabled={isBusy || !isOnline}
          onClick={() =>
            void run(() => connection.change(Retry, { input: { id, acceptPossibleSecondCharge: false } }))
          }
        >
          <Icon name="again" />
          <span className="hidden">Run again: {prompt}</span>
        </button>
      )}
      {may('GENERATE') && result && (
        <Link to="/studio" search={{ from: result.id }} title="Edit in the Studio" preload={false}>
          <Icon name="edit" />
          <span className="hidden">Edit: {prompt}</span>
        </Link>
      )}
      {result && (
        <Link
          to="/compare"
          search={{ a: other?.id ?? result.id, b: other ? result.id : undefined }}
          title="Compare (c)"
          preload={false}
          data-shortcut="c"
        >
          <Icon name="compare" />
          <span className="hidden">Compare: {prompt}</span>
        </Link>
      )}
      <button
        type="button"
        title="Copy the id"
        onClick={() =>
          void navigator.clipboard.writeText(id).then(
            () => show('Copied'),
            () => {},
          )
        }
      >
        <Icon name={note === 'Copied' ? 'check' : 'copy'} />
        <span className="hidden">Copy the id: {prompt}</span>
      </button>
      <span role="status" className={note === 'Copied' ? 'hidden' : undefined} data-note>
        {note}
      </span>
    </span>
  )
}
