import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { Icon } from '../ui/icon.tsx'
import { Picture } from '../ui/picture.tsx'
import { Problem } from '../ui/problem.tsx'
import { statusText } from '../ui/status.tsx'
import styles from './edit-history.module.css'
import { countNodes, layoutHistory, type HistoryNode } from './layout.ts'
import { useHistory } from './use-history.ts'

/** Of the parent that stays in view before the current task. */
const MARGIN_PX = 80

interface HistoryRoot {
  id: string
  status: string
  images: readonly { id: string }[]
  inputImages: readonly unknown[]
}

/** Where a picture comes from, and what was made from it. Nothing without an edit. */
export function EditHistory({ task }: { task: HistoryRoot }) {
  const { steps, error, readMore } = useHistory(task.id, task.status)
  const roots = layoutHistory(steps, task.id)
  const count = countNodes(roots)
  const scroller = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const current = scroller.current?.querySelector<HTMLElement>('[aria-current]')
    if (!current || !scroller.current) return
    const { left } = scroller.current.getBoundingClientRect()
    scroller.current.scrollLeft += current.getBoundingClientRect().left - left - MARGIN_PX
  }, [count])
  const hasHistory = count > 1 || task.inputImages.length > 0
  if (!hasHistory && !error) return null
  return (
    <section className={styles['history']} aria-labelledby="history-title">
      <h2 id="history-title">Edit history</h2>
      {error && <Problem error={error} onRetry={() => void readMore(task.id)} />}
      <div ref={scroller} className={styles['scroller']} tabIndex={0} role="group" aria-label="Tree of edits">
        <Nodes nodes={roots} current={task.images[0]?.id} readMore={(id) => void readMore(id)} />
      </div>
    </section>
  )
}

interface NodesProps {
  nodes: readonly HistoryNode[]
  /** Image of the page, for comparison. */
  current: string | undefined
  readMore: (id: string) => void
}

/** Nested lists, which a screen reader reads as such. */
function Nodes({ nodes, current, readMore }: NodesProps) {
  return (
    <ul className={styles['nodes']}>
      {nodes.map((node) => (
        <li key={node.task.id} className={styles['node']}>
          <div className={styles['card']}>
            <Card node={node} current={current} />
            {node.hasMore && (
              <button type="button" className={styles['more']} onClick={() => readMore(node.task.id)}>
                Show more
                <span className="hidden"> edits around {node.task.prompt}</span>
              </button>
            )}
          </div>
          {node.children.length > 0 && <Nodes nodes={node.children} current={current} readMore={readMore} />}
        </li>
      ))}
    </ul>
  )
}

function Card({
  node: { task, isCurrent, alsoFrom },
  current,
}: {
  node: HistoryNode
  current: string | undefined
}) {
  const image = task.images[0]
  const uploaded = task.inputImages.find(({ kind }) => kind !== 'FINAL')
  return (
    <>
      <Link
        to="/tasks/$id"
        params={{ id: task.id }}
        className={styles['link']}
        aria-current={isCurrent ? 'page' : undefined}
        data-history={task.id}
      >
        <span className={styles['picture']}>
          <Picture image={image} alt="" sizes="168px" />
          {!image && <span className={styles['status']}>{statusText(task.status)}</span>}
          {uploaded && (
            <span className={styles['uploaded']} title="Uploaded picture">
              <Picture image={uploaded} alt="Made from an uploaded picture" sizes="52px" />
            </span>
          )}
          {task.images.length > 1 && <span className={styles['number']}>{task.images.length}</span>}
        </span>
        <span className={styles['prompt']}>{task.prompt}</span>
        <span className={styles['facts']}>
          <span>{isCurrent ? 'This task' : task.model}</span>
          <span title={formatExactMoney(task.costMicros)}>
            {task.charged === 'NO' ? 'not charged' : formatMoney(task.costMicros)}
          </span>
        </span>
      </Link>
      {alsoFrom.length > 0 && (
        <span className={styles['also']}>
          also from{' '}
          {alsoFrom.map(({ id, prompt }) => (
            <Link key={id} to="/tasks/$id" params={{ id }}>
              {prompt}
            </Link>
          ))}
        </span>
      )}
      {image && current !== undefined && image.id !== current && (
        <Link
          to="/compare"
          search={{ a: image.id, b: current }}
          className={styles['compare']}
          title="Compare"
        >
          <Icon name="compare" />
          <span className="hidden">Compare with: {task.prompt}</span>
        </Link>
      )}
    </>
  )
}
