// Columns of the table of Live.
import type { ReactNode } from 'react'
import type { LiveTask } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { formatAge, formatDuration, formatExactTime } from '../format/time.ts'
import { Status } from '../ui/status.tsx'

interface Cell {
  now: number
  keyNames: ReadonlyMap<string, string>
}

export interface Column {
  name: string
  text: string
  isNumber?: boolean
  /** Shown unless the user chose others. */
  isDefault?: boolean
  of: (task: LiveTask, cell: Cell) => ReactNode
}

/** Prompt and status are always shown. */
export const COLUMNS: readonly Column[] = [
  { name: 'model', text: 'Model', isDefault: true, of: ({ model }) => model },
  { name: 'provider', text: 'Provider', isDefault: true, of: ({ provider }) => provider?.name },
  { name: 'size', text: 'Size', isDefault: true, of: ({ size }) => size },
  { name: 'quality', text: 'Quality', isDefault: true, of: ({ quality }) => quality.toLowerCase() },
  { name: 'n', text: 'Images', isNumber: true, of: ({ n }) => n },
  {
    name: 'created',
    text: 'Created',
    isDefault: true,
    of: ({ createdAt }, { now }) => (
      <span title={formatExactTime(createdAt)}>{formatAge(createdAt, now)}</span>
    ),
  },
  { name: 'took', text: 'Took', isNumber: true, isDefault: true, of: tookText },
  { name: 'charged', text: 'Charged', of: ({ charged }) => CHARGED[charged] },
  {
    name: 'cost',
    text: 'Cost',
    isNumber: true,
    isDefault: true,
    of: ({ charged, costMicros }) => (
      <span title={formatExactMoney(costMicros)}>
        {charged === 'NO' ? 'not charged' : formatMoney(costMicros)}
      </span>
    ),
  },
  { name: 'key', text: 'Key', of: ({ apiKeyId }, { keyNames }) => keyNames.get(apiKeyId ?? '') ?? apiKeyId },
  { name: 'user', text: 'User', of: ({ user }) => user },
  { name: 'id', text: 'Id', of: ({ id }) => <span className="mono">{id}</span> },
]

const CHARGED: Readonly<Record<LiveTask['charged'], string>> = {
  YES: 'yes',
  NO: 'no',
  UNKNOWN: 'unknown',
}

function tookText({ status, startedAt, finishedAt }: LiveTask, { now }: Cell): string {
  if (startedAt === null || (finishedAt === null && status !== 'RUNNING')) return ''
  return formatDuration((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt))
}

export function StatusCell({ task }: { task: LiveTask }) {
  return (
    <>
      <Status status={task.status} />
      {task.status === 'RUNNING' && ` ${Math.round(task.progress * 100)} %`}
    </>
  )
}
