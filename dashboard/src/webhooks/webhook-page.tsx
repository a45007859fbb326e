import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import {
  DeleteWebhook,
  ListDeliveries,
  ReadWebhook,
  UpdateWebhook,
  type WebhookRow,
} from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Facts } from '../ui/facts.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { useRead } from '../ui/use-read.ts'
import { Deliveries } from './deliveries.tsx'
import { TestButton } from './test-button.tsx'
import { eventsText } from './texts.ts'
import { VerifyCard } from './verify-card.tsx'
import { EditWebhook } from './webhook-form.tsx'

export function WebhookPage() {
  const { may } = useSession()
  const { id } = useParams({ from: '/webhooks/$id' })
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read webhooks" />
  return <WebhookView key={id} id={id} />
}

function WebhookView({ id }: { id: string }) {
  const { may } = useSession()
  const [version, setVersion] = useState(0)
  const {
    data: webhook,
    error,
    reload,
  } = useRead(async (connection, signal) => {
    const node = await connection.read(ReadWebhook, { id }, signal)
    if (node.id === undefined) throw new Error('There is no webhook with this id.')
    return node as WebhookRow
  }, `webhook ${id}`)
  const onChange = () => {
    setVersion((count) => count + 1)
    reload()
  }
  const isActive = webhook?.deletedAt === null && webhook.disabledAt === null
  return (
    <div className={parts['page']}>
      <Link to="/webhooks" className={parts['back']}>
        <Icon name="back" /> Webhooks
      </Link>
      <PageHead
        title={webhook ? new URL(webhook.url).host : 'Webhook'}
        note={webhook && <State webhook={webhook} />}
      >
        {may('ADMIN') && webhook?.deletedAt === null && <Actions webhook={webhook} onChange={onChange} />}
        <QueryButton
          queries={[
            { text: 'Webhook', document: ReadWebhook, variables: { id } },
            { text: 'Deliveries', document: ListDeliveries, variables: { webhookId: id, first: 50 } },
          ]}
        />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {!webhook && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {webhook && (
        <>
          <section className={parts['card']} aria-label="Settings">
            <Facts
              facts={[
                ['URL', <CopyButton text={webhook.url} what="URL" />],
                ['Messages', eventsText(webhook.events)],
                ['Note', webhook.description ?? undefined],
                ['Id', <CopyButton text={id} what="webhook id" />],
                ['Created', formatExactTime(webhook.createdAt)],
                [
                  'Test',
                  may('ADMIN') && webhook.deletedAt === null ? (
                    <TestButton id={id} isEnabled={isActive} onEnd={onChange} />
                  ) : undefined,
                ],
              ]}
            />
          </section>
          <Deliveries webhookId={id} version={version} />
          <VerifyCard />
        </>
      )}
    </div>
  )
}

function State({ webhook: { deletedAt, disabledAt } }: { webhook: WebhookRow }) {
  if (deletedAt !== null) return <span title={formatExactTime(deletedAt)}>deleted, its history remains</span>
  if (disabledAt === null) return <span className={parts['good']}>active</span>
  return (
    <span className={parts['bad']} title={formatExactTime(disabledAt)}>
      disabled: the receiver responded with 410
    </span>
  )
}

function Actions({ webhook, onChange }: { webhook: WebhookRow; onChange: () => void }) {
  const { connection } = useSession()
  const navigate = useNavigate()
  const [open, setOpen] = useState<'EDIT' | 'DELETE' | 'ENABLE'>()
  const { id, url, disabledAt } = webhook
  const close = () => setOpen(undefined)
  return (
    <>
      {disabledAt !== null && (
        <button type="button" className="button primary" onClick={() => setOpen('ENABLE')}>
          <Icon name="play" /> Enable
        </button>
      )}
      <button type="button" className="button" onClick={() => setOpen('EDIT')}>
        <Icon name="edit" /> Edit
      </button>
      <button type="button" className="button" onClick={() => setOpen('DELETE')}>
        Delete
      </button>
      {open === 'EDIT' && <EditWebhook webhook={webhook} onChange={onChange} onClose={close} />}
      {open === 'ENABLE' && (
        <FormDialog
          title="Enable the webhook"
          action="Enable"
          onSubmit={async () => {
            await connection.change(UpdateWebhook, { input: { id, enable: true } }, true)
            onChange()
          }}
          onClose={close}
        >
          <p>Messages are sent to {url} again. Those that failed meanwhile can be sent again one by one.</p>
        </FormDialog>
      )}
      {open === 'DELETE' && (
        <FormDialog
          title="Delete the webhook"
          action="Delete"
          onSubmit={async () => {
            await connection.change(DeleteWebhook, { id }, true)
            await navigate({ to: '/webhooks' })
          }}
          onClose={close}
        >
          <p>Nothing more is sent to {url}, and pending deliveries are given up. The history remains.</p>
        </FormDialog>
      )}
    </>
  )
}
