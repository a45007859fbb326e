import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ListDeliveries, ListWebhooks, type WebhookRow } from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { PageHead } from '../ui/page-head.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import table from '../ui/table.module.css'
import { useRead } from '../ui/use-read.ts'
import { Deliveries } from './deliveries.tsx'
import { ProjectSecret } from './project-secret.tsx'
import { TestButton } from './test-button.tsx'
import { eventsText } from './texts.ts'
import { CreateWebhookButton } from './webhook-form.tsx'

export function WebhooksPage() {
  const { may } = useSession()
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read webhooks" />
  return <WebhooksView />
}

function WebhooksView() {
  const { may } = useSession()
  const [version, setVersion] = useState(0)
  const { data, error, reload } = useRead(
    (connection, signal) => connection.read(ListWebhooks, {}, signal),
    'webhooks',
    { version },
  )
  const onChange = () => setVersion((count) => count + 1)
  return (
    <div className={parts['page']}>
      <PageHead title="Webhooks">
        {may('ADMIN') && <CreateWebhookButton onChange={onChange} />}
        <QueryButton
          queries={[
            { text: 'Webhooks', document: ListWebhooks },
            { text: 'Deliveries', document: ListDeliveries, variables: { first: 50 } },
          ]}
        />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {data?.length === 0 && (
        <div className={parts['empty']}>
          <h2>No webhook yet</h2>
          <p>
            A webhook sends a signed message to an address of yours when a task ends, so that no program has
            to wait or to poll.
          </p>
        </div>
      )}
      {data && data.length > 0 && <Endpoints webhooks={data} onTest={onChange} />}
      <Deliveries version={version} />
      {may('ADMIN') && <ProjectSecret />}
    </div>
  )
}

function Endpoints({ webhooks, onTest }: { webhooks: readonly WebhookRow[]; onTest: () => void }) {
  const { may } = useSession()
  const roving = useRovingFocus<HTMLTableElement>()
  return (
    <div className={table['wrap']}>
      <table className={table['table']} {...roving}>
        <caption className="hidden">Registered webhooks, oldest first</caption>
        <thead>
          <tr>
            <th scope="col">Receiver</th>
            <th scope="col">Messages</th>
            <th scope="col">State</th>
            {may('ADMIN') && <th scope="col">Test</th>}
          </tr>
        </thead>
        <tbody>
          {webhooks.map(({ id, url, events, description, disabledAt }) => (
            <tr key={id} data-webhook={id} data-roving>
              <td className={table['main']}>
                <Link to="/webhooks/$id" params={{ id }}>
                  {url}
                </Link>
                {description !== null && <span className={parts['second']}>{description}</span>}
              </td>
              <td data-label="Messages">{eventsText(events)}</td>
              <td data-label="State">
                {disabledAt === null ? (
                  <span className={parts['good']}>active</span>
                ) : (
                  <span className={parts['bad']} title={formatExactTime(disabledAt)}>
                    disabled: the receiver is gone (410)
                  </span>
                )}
              </td>
              {may('ADMIN') && (
                <td data-label="Test">
                  <TestButton id={id} isEnabled={disabledAt === null} onEnd={onTest} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
