import { Link } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useLayoutEffect, useRef } from 'react'
import { useLiveTask, useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Picture } from '../ui/picture.tsx'
import { Problem } from '../ui/problem.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { useIsNarrow } from '../ui/use-is-narrow.ts'
import { useKeyNames } from '../ui/use-key-names.ts'
import { usePlace } from '../ui/use-place.ts'
import { useColumnChoice } from './column-choice.tsx'
import { HeldHead } from './held-head.tsx'
import { StatusCell, type Column } from './task-columns.tsx'
import styles from './task-table.module.css'
import { useHeld } from './use-held.ts'
import type { Pages } from './use-pages.ts'

const ROW_PX = 49
const CARD_PX = 76

/** All tasks in rows, newest first. Only the rows near the window are in the document. */
export function TaskTable({ ids, pages }: { ids: readonly string[]; pages: Pages }) {
  const { floor, readMore } = pages
  const complete = floor === undefined ? ids : ids.filter((id) => id >= floor)
  const section = useRef<HTMLElement>(null)
  const held = useHeld(complete, section)
  const { shown } = held
  const { columns, button } = useColumnChoice()
  const keyNames = useKeyNames()
  const isNarrow = useIsNarrow()
  const body = useRef<HTMLTableSectionElement>(null)
  const { top } = usePlace(body)
  const height = isNarrow ? CARD_PX : ROW_PX
  const virtualizer = useWindowVirtualizer({
    count: shown.length,
    estimateSize: () => height,
    scrollMargin: top,
    overscan: 6,
  })
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, height])
  const roving = useRovingFocus<HTMLTableSectionElement>(1, body)
  const items = virtualizer.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= shown.length - 10) readMore()
  }, [last, shown.length, readMore])
  const before = (items[0]?.start ?? top) - top
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top)

  return (
    <section ref={section} aria-label="Tasks">
      <HeldHead title="Tasks" held={held}>
        {!isNarrow && button}
      </HeldHead>
      <div
        className={styles['scroll']}
        tabIndex={isNarrow ? undefined : 0}
        role="region"
        aria-label="Table of tasks"
      >
        <table className={styles['table']} aria-rowcount={shown.length + 1}>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Prompt</th>
              {columns.map(({ name, text, isNumber }) => (
                <th key={name} scope="col" data-number={isNumber || undefined}>
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody {...roving}>
            {before > 0 && <tr aria-hidden="true" style={{ height: before }} />}
            {items.map(({ index }) => {
              const id = shown[index]
              return (
                id !== undefined && (
                  <Row key={id} id={id} index={index} columns={columns} keyNames={keyNames} />
                )
              )
            })}
            {after > 0 && <tr aria-hidden="true" style={{ height: after }} />}
          </tbody>
        </table>
      </div>
      {pages.error && <Problem error={pages.error} onRetry={readMore} />}
    </section>
  )
}

interface RowProps {
  id: string
  index: number
  columns: readonly Column[]
  keyNames: ReadonlyMap<string, string>
}

const Row = memo(function Row({ id, index, columns, keyNames }: RowProps) {
  const { store } = useSession()
  const task = useLiveTask(store, id)
  const now = useNow(5_000)
  if (!task) return null
  const image = task.images[0] ?? task.partialImages.at(-1)?.image
  return (
    <tr aria-rowindex={index + 2} data-task-row={id} data-status={task.status} data-roving>
      <td className={styles['status']}>
        <StatusCell task={task} />
      </td>
      <td className={styles['prompt']}>
        <span className={styles['both']}>
          <span className={styles['thumb']}>{image && <Picture image={image} alt="" sizes="32px" />}</span>
          <Link to="/tasks/$id" params={{ id }}>
            {task.prompt}
          </Link>
        </span>
      </td>
      {columns.map(({ name, isNumber, of }) => (
        <td key={name} data-number={isNumber || undefined} data-column={name}>
          {of(task, { now, keyNames })}
        </td>
      ))}
    </tr>
  )
})
