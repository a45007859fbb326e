import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { ReadDelivery, Redeliver, type DeliveryDetail } from '../api/generated.ts'
import { formatDuration, formatExactTime } from '../format/time.ts'
import { useNow, useOnline } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { CopyText } from '../ui/copy-text.tsx'
import { Facts } from '../ui/facts.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import table from '../ui/table.module.css'
import { useRead } from '../ui/use-read.ts'
import { DeliveryState } from './delivery-state.tsx'
import { eventType, progressText, tryText } from './texts.ts'
import { nextTry, readDelivery } from './use-delivery.ts'

const REFRESH_MS = 5_000

export function DeliveryPage() {
  const { may } = useSession()
  const { id } = useParams({ from: '/webhooks/deliveries/$id' })
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read webhooks" />
  return <DeliveryView key={id} id={id} />
}

function DeliveryView({ id }: { id: string }) {
  const { may } = useSession()
  const now = useNow(1_000)
  const [isPending, setIsPending] = useState(false)
  const { data, error, reload, put } = useRead(
    async (connection, signal) => {
      const delivery = await readDelivery(connection, id, signal)
      setIsPending(delivery.state === 'PENDING')
      return delivery
    },
    `delivery ${id}`,
    { refreshMs: isPending ? REFRESH_MS : undefined },
  )
  return (
    <div className={parts['page']}>
      <Link
        to={data?.webhook ? '/webhooks/$id' : '/webhooks'}
        params={{ id: data?.webhook?.id ?? '' }}
        className={parts['back']}
      >
        <Icon name="back" /> {data?.webhook ? 'Webhook' : 'Webhooks'}
      </Link>
      <PageHead
        title={data ? eventType(data.event) : 'Delivery'}
        note={data && <DeliveryState state={data.state} />}
      >
        {data && may('ADMIN') && <RedeliverButton delivery={data} onChange={put} />}
        <QueryButton queries={[{ text: 'Delivery', document: ReadDelivery, variables: { id } }]} />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {data && (
        <>
          <section className={parts['card']} aria-label="Delivery">
            <Facts
              facts={[
                ['Receiver', <CopyButton text={data.url} what="URL" />],
                ['Progress', progressText(data, now)],
                [
                  'Task',
                  data.task ? (
                    <Link to="/tasks/$id" params={{ id: data.task.id }}>
                      {data.task.prompt || data.task.id}
                    </Link>
                  ) : undefined,
                ],
                ['Created', formatExactTime(data.createdAt)],
                ['Ended', data.finishedAt === null ? undefined : formatExactTime(data.finishedAt)],
              ]}
            />
          </section>
          <Tries delivery={data} />
          <Message delivery={data} />
        </>
      )}
    </div>
  )
}

function Tries({ delivery: { tries } }: { delivery: DeliveryDetail }) {
  return (
    <section className={parts['section']} aria-labelledby="tries-title">
      <h2 id="tries-title">Tries</h2>
      {tries.length === 0 ? (
        <p className="muted">None yet.</p>
      ) : (
        <div className={table['wrap']}>
          <table className={table['table']}>
            <thead>
              <tr>
                <th scope="col">Try</th>
                <th scope="col">Result</th>
                <th scope="col">Time</th>
                <th scope="col" data-number>
                  Took
                </th>
              </tr>
            </thead>
            <tbody>
              {tries.map((one) => (
                <tr key={one.number} data-try={one.number}>
                  <td className={table['main']}>{one.number}</td>
                  <td data-label="Result">
                    <span className={parts[one.failure === null ? 'good' : 'bad']}>{tryText(one)}</span>
                  </td>
                  <td data-label="Time">{formatExactTime(one.at)}</td>
                  <td data-label="Took" data-number>
                    {formatDuration(one.durationMs)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** What is sent, byte for byte the same in every try except for time and signature. */
function Message({ delivery: { id, payload, tries } }: { delivery: DeliveryDetail }) {
  const last = tries.at(-1)
  const sentAt = last ? Math.floor(Date.parse(last.at) / 1_000) : undefined
  const headers = [
    'content-type: application/json',
    `webhook-id: ${id}`,
    `webhook-timestamp: ${sentAt ?? 'seconds since 1970'}`,
    'webhook-signature: v1,… HMAC-SHA256 of id, timestamp and body; another one in each try',
  ].join('\n')
  return (
    <section className={parts['section']} aria-labelledby="message-title">
      <h2 id="message-title">Message</h2>
      <div className={parts['cards']}>
        <pre className={`mono ${parts['code']} ${parts['wrap']}`} tabIndex={0} aria-label="Headers">
          {headers}
        </pre>
        <pre className={`mono ${parts['code']} ${parts['wrap']}`} tabIndex={0} aria-label="Payload">
          {indented(payload)}
        </pre>
      </div>
      <div className={parts['row']} style={{ marginTop: 12 }}>
        <CopyText text={payload} label="Copy the payload as sent" />
        <CopyButton text={id} what="delivery id" />
      </div>
    </section>
  )
}

function indented(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}

interface RedeliverButtonProps {
  delivery: DeliveryDetail
  onChange: (delivery: DeliveryDetail) => void
}

function RedeliverButton({ delivery, onChange }: RedeliverButtonProps) {
  const { connection } = useSession()
  const isOnline = useOnline()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<string>()

  async function send(): Promise<void> {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const { id, tries } = delivery
      await connection.change(Redeliver, { id })
      onChange(await nextTry(connection, id, tries.length))
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setIsBusy(false)
    }
  }

  return (
    <>
      {problem !== undefined && (
        <span role="alert" className={parts['problem']}>
          {problem}
        </span>
      )}
      <button
        type="button"
        className="button"
        disabled={isBusy || !isOnline}
        title="Same id and payload, new signature"
        onClick={() => void send()}
      >
        <Icon name="again" /> {isBusy ? 'Sending' : 'Send again'}
      </button>
    </>
  )
}
