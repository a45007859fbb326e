import { Link } from '@tanstack/react-router'
import type { TaskDetail } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { formatClock, formatDuration, formatExactTime } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import { isRunning } from '../live/task-store.ts'
import { Fact, FactList } from '../ui/fact-list.tsx'

export function Facts({ task }: { task: TaskDetail }) {
  const image = task.images[0]
  return (
    <FactList>
      <Fact name="Cost">
        <strong title={formatExactMoney(task.costMicros)}>
          {task.charged === 'NO' ? 'not charged' : formatMoney(task.costMicros)}
        </strong>
      </Fact>
      <Fact name="Time">
        <Elapsed task={task} />
      </Fact>
      {task.estimatedCompletion !== null && isRunning(task) && (
        <Fact name="Expected">
          <span title={formatExactTime(task.estimatedCompletion)}>
            {formatClock(task.estimatedCompletion)}
          </span>
        </Fact>
      )}
      <Fact name="Model">{task.model}</Fact>
      {task.provider && <Fact name="Provider">{task.provider.name}</Fact>}
      {image && (
        <Fact name="Size">
          {image.width} × {image.height}
        </Fact>
      )}
      <Fact name="Created">{formatExactTime(task.createdAt)}</Fact>
      {task.usage?.totalTokens !== null && task.usage?.totalTokens !== undefined && (
        <Fact name="Tokens">
          {task.usage.totalTokens.toLocaleString('en')}
          {task.usage.source === 'ESTIMATED' && ' (estimated)'}
        </Fact>
      )}
      {task.retryOf && (
        <Fact name="Repeats">
          <Link to="/tasks/$id" params={{ id: task.retryOf.id }} className="mono">
            {task.retryOf.id}
          </Link>
        </Fact>
      )}
    </FactList>
  )
}

function Elapsed({ task }: { task: TaskDetail }) {
  const now = useNow(1_000)
  const start = Date.parse(task.startedAt ?? task.createdAt)
  if (isRunning(task)) return <>{Math.max(0, Math.floor((now - start) / 1_000))} s so far</>
  // An attempt of unknown outcome has not finished.
  if (task.finishedAt === null) return <>unknown</>
  return <>{formatDuration(Date.parse(task.finishedAt) - start)}</>
}
