import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { Redeliver, type DeliveryRow } from '../api/generated.ts'
import { formatAge, formatExactTime } from '../format/time.ts'
import { useNow, useOnline } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { Segments } from '../ui/segments.tsx'
import table from '../ui/table.module.css'
import { DeliveryState } from './delivery-state.tsx'
import { eventType, progressText, STATE_TEXTS } from './texts.ts'
import { useDeliveries } from './use-deliveries.ts'
import { STATES } from './webhooks-search.ts'

interface DeliveriesProps {
  /** Undefined for those of all receivers. */
  webhookId?: string | undefined
  /** Changes with each change of the page. */
  version: number
}

/** Messages with the result of their last try. Several can be sent again. */
export function Deliveries({ webhookId, version }: DeliveriesProps) {
  const { may } = useSession()
  const { state } = useSearch({ strict: false }) as { state?: DeliveryRow['state'] }
  const navigate = useNavigate()
  const list = useDeliveries({ state, webhookId }, version)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map())
  const roving = useRovingFocus<HTMLTableElement>()
  const rows = list.items
  const chosen = rows?.filter(({ id }) => selected.has(id)) ?? []

  function toggle(id: string): void {
    setSelected((last) => new Set(last.has(id) ? [...last].filter((one) => one !== id) : [...last, id]))
  }

  return (
    <section className={parts['section']} aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Deliveries</h2>
      <div className={parts['tabs']}>
        <Segments
          label="State"
          options={[
            { value: 'ALL', text: 'All' },
            ...STATES.map((one) => ({ value: one, text: STATE_TEXTS[one] })),
          ]}
          value={state ?? 'ALL'}
          onChange={(next) =>
            void navigate({
              to: '.',
              search: (last) => ({ ...last, state: next === 'ALL' ? undefined : next }),
              resetScroll: false,
            })
          }
        />
        {chosen.length > 0 && (
          <RedeliverMany
            deliveries={chosen}
            onEnd={(refused) => {
              setProblems(refused)
              setSelected(new Set(refused.keys()))
              list.reload()
            }}
          />
        )}
      </div>
      {list.error && <Problem error={list.error} onRetry={list.reload} />}
      {!rows && !list.error && <div className={parts['skeleton']} aria-busy="true" />}
      {rows?.length === 0 && (
        <p className="muted">
          {state === undefined
            ? 'No message yet: one is sent for each end of a task.'
            : `No delivery is in the state “${STATE_TEXTS[state].toLowerCase()}”.`}
        </p>
      )}
      {rows && rows.length > 0 && (
        <div className={table['wrap']}>
          <table className={table['table']} {...roving}>
            <caption className="hidden">Deliveries, newest first</caption>
            <thead>
              <tr>
                {may('ADMIN') && (
                  <th scope="col" className={table['check']}>
                    <span className="hidden">Select</span>
                  </th>
                )}
                <th scope="col">Message</th>
                <th scope="col">State</th>
                <th scope="col">Last try</th>
                <th scope="col" data-number>
                  Tries
                </th>
                <th scope="col">Sent for</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((delivery) => (
                <Row
                  key={delivery.id}
                  delivery={delivery}
                  hasReceiver={webhookId === undefined}
                  problem={problems.get(delivery.id)}
                  check={
                    may('ADMIN')
                      ? { isOn: selected.has(delivery.id), toggle: () => toggle(delivery.id) }
                      : undefined
                  }
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasMore && (
        <button type="button" className="button" style={{ marginTop: 16 }} onClick={list.readMore}>
          Show more
        </button>
      )}
    </section>
  )
}

interface RowProps {
  delivery: DeliveryRow
  hasReceiver: boolean
  problem: string | undefined
  check: { isOn: boolean; toggle: () => void } | undefined
}

function Row({ delivery, hasReceiver, problem, check }: RowProps) {
  const now = useNow(5_000)
  const { id, event, state, url, task, tries, createdAt } = delivery
  return (
    <tr data-delivery={id} data-state={state} data-roving>
      {check && (
        <td className={table['check']}>
          <label>
            <input type="checkbox" checked={check.isOn} onChange={check.toggle} />
            <span className="hidden">Select {id}</span>
          </label>
        </td>
      )}
      <td className={table['main']}>
        <Link to="/webhooks/deliveries/$id" params={{ id }} search={{}}>
          {eventType(event)}
        </Link>
        {hasReceiver && <span className={parts['second']}>{url}</span>}
        {problem !== undefined && (
          <span role="alert" className={parts['problem']}>
            {problem}
          </span>
        )}
      </td>
      <td data-label="State">
        <DeliveryState state={state} />
      </td>
      <td data-label="Last try">{progressText(delivery, now)}</td>
      <td data-label="Tries" data-number>
        {tries.length}
      </td>
      <td data-label="Sent for">
        {task ? (
          <Link to="/tasks/$id" params={{ id: task.id }}>
            {task.prompt.slice(0, 60) || 'task'}
          </Link>
        ) : (
          <span className="muted">{event === 'WEBHOOK_TEST' ? 'a test' : 'a deleted task'}</span>
        )}
      </td>
      <td data-label="Created" title={formatExactTime(createdAt)}>
        {formatAge(createdAt, now)}
      </td>
    </tr>
  )
}

const AT_ONCE = 4
const MAX_SELECTED = 50

interface RedeliverManyProps {
  deliveries: readonly DeliveryRow[]
  /** With the reasons of those that were refused. */
  onEnd: (problems: ReadonlyMap<string, string>) => void
}

function RedeliverMany({ deliveries, onEnd }: RedeliverManyProps) {
  const { connection } = useSession()
  const isOnline = useOnline()
  const [isBusy, setIsBusy] = useState(false)
  const isTooMany = deliveries.length > MAX_SELECTED

  async function run(): Promise<void> {
    setIsBusy(true)
    const problems = new Map<string, string>()
    const queue = deliveries.map(({ id }) => id)
    const work = async () => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift())
        try {
          await connection.change(Redeliver, { id })
        } catch (error) {
          problems.set(id, (error as Error).message)
        }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    setIsBusy(false)
    onEnd(problems)
  }

  return (
    <>
      <button
        type="button"
        className="button"
        disabled={isBusy || !isOnline || isTooMany}
        onClick={() => void run()}
      >
        <Icon name="again" /> Send {deliveries.length} again
      </button>
      {isTooMany && <span className="muted">At most {MAX_SELECTED} at once.</span>}
      {!isOnline && <span className="muted">Offline</span>}
    </>
  )
}
