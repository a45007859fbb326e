import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { Cancel, Retry, type TaskDetail } from '../api/generated.ts'
import { downloadUrl } from '../format/download.ts'
import { formatMoney } from '../format/money.ts'
import { isRunning } from '../live/task-store.ts'
import { useOnline } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { CopyLink } from '../ui/copy-link.tsx'
import { Icon } from '../ui/icon.tsx'
import styles from './actions.module.css'

/** What may be done with a task, by its state and the rights of the key. */
export function Actions({ task, reload }: { task: TaskDetail; reload: () => void }) {
  const { connection, store, may } = useSession()
  const navigate = useNavigate()
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const { img = 0 } = useSearch({ from: '/tasks/$id' })
  const image = task.images[img] ?? task.images[0]
  const shown = image ?? task.partialImages.at(-1)?.image
  // What was edited, else another result, else how it began.
  const other = [
    task.inputImages[0],
    task.images.find(({ id }) => id !== image?.id),
    task.partialImages[0]?.image,
  ].find((one) => one && one.id !== shown?.id)

  async function run(action: () => Promise<void>): Promise<void> {
    setIsBusy(true)
    setProblem(undefined)
    try {
      await action()
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setIsBusy(false)
    }
  }

  const cancel = () =>
    run(async () => {
      const { task: canceled } = await connection.change(Cancel, { id: task.id })
      if (canceled) store.put([canceled])
      reload()
    })

  const retry = (acceptPossibleSecondCharge: boolean) =>
    run(async () => {
      const input = { id: task.id, acceptPossibleSecondCharge }
      const { task: next } = await connection.change(Retry, { input })
      if (next) store.put([next])
      if (next && next.id !== task.id) await navigate({ to: '/tasks/$id', params: { id: next.id } })
      else reload()
    })

  const canGenerate = may('GENERATE')
  const isOnline = useOnline()
  const offline = isOnline ? undefined : 'The browser is offline'
  const compared = shown && { a: other?.id ?? shown.id, b: other && shown.id }
  return (
    <div className={styles['actions']}>
      <div className={styles['row']}>
        {canGenerate && isRunning(task) && (
          <button
            type="button"
            className="button"
            disabled={isBusy || task.cancelRequested || !isOnline}
            title={offline}
            onClick={() => void cancel()}
          >
            <Icon name="stop" />
            {task.cancelRequested ? 'Canceling' : 'Cancel'}
          </button>
        )}
        {canGenerate && (task.status === 'FAILED' || task.status === 'CANCELED') && (
          <button
            type="button"
            className="button"
            disabled={isBusy || !isOnline}
            title={offline}
            onClick={() => void retry(false)}
          >
            <Icon name="again" /> Run again
          </button>
        )}
        {canGenerate && task.status === 'OUTCOME_UNKNOWN' && (
          <RetryUnknown task={task} isBusy={isBusy || !isOnline} retry={() => void retry(true)} />
        )}
        {image && canGenerate && (
          <Link to="/studio" search={{ from: image.id }} className="button">
            <Icon name="edit" /> Edit
          </Link>
        )}
        {canGenerate && (
          <Link to="/studio" search={{ task: task.id }} className="button">
            <Icon name="sliders" /> Same settings
          </Link>
        )}
        {compared && (
          <Link to="/compare" search={compared} className="button" title="Compare (c)" data-shortcut="c">
            <Icon name="compare" /> Compare
          </Link>
        )}
        {image && (
          <a className="button" href={downloadUrl(image.url)}>
            <Icon name="download" /> Download
          </a>
        )}
        {image && (
          <a className="button quiet" href={image.url} target="_blank" rel="noreferrer">
            Full size
          </a>
        )}
        <CopyLink />
      </div>
      {task.status === 'RUNNING' && canGenerate && (
        <p className={styles['note']}>After a cancellation the provider may still charge.</p>
      )}
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
    </div>
  )
}

/** Sends nothing before the user accepts that the provider may charge twice. */
function RetryUnknown({ task, isBusy, retry }: { task: TaskDetail; isBusy: boolean; retry: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isAccepted, setIsAccepted] = useState(false)
  const largest = task.attempts.at(-1)?.heldMicros ?? task.attempts.at(-1)?.estimatedMicros
  return (
    <>
      <button type="button" className="button" disabled={isBusy} onClick={() => dialog.current?.showModal()}>
        <Icon name="again" /> Run again
      </button>
      <dialog ref={dialog} aria-labelledby="retry-title" onClose={() => setIsAccepted(false)}>
        <h2 id="retry-title">The first attempt may have been charged</h2>
        <p className={styles['text']}>
          {largest === null || largest === undefined
            ? 'A second charge is possible; its amount is unknown, because the model has no price.'
            : `A second charge is possible: at most ${formatMoney(largest)}.`}
        </p>
        <label className={styles['check']}>
          <input
            type="checkbox"
            checked={isAccepted}
            onChange={({ target }) => setIsAccepted(target.checked)}
          />
          I accept a possible second charge
        </label>
        <div className={styles['row']}>
          <button
            type="button"
            className="button primary"
            disabled={!isAccepted}
            onClick={() => {
              dialog.current?.close()
              retry()
            }}
          >
            Run again
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Keep waiting
          </button>
        </div>
      </dialog>
    </>
  )
}
