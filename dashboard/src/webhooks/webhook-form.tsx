import { useState } from 'react'
import { CreateWebhook, UpdateWebhook, type WebhookEvent, type WebhookRow } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { FormDialog, OpenDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { Secret } from '../ui/secret.tsx'
import { EVENTS } from './texts.ts'
import { VerifyCard } from './verify-card.tsx'

/** A button, the form that it opens, and the secret of the new webhook, which is shown once. */
export function CreateWebhookButton({ onChange }: { onChange: () => void }) {
  const { connection } = useSession()
  const [isOpen, setIsOpen] = useState(false)
  const [secret, setSecret] = useState<string>()
  return (
    <>
      <button type="button" className="button primary" onClick={() => setIsOpen(true)}>
        <Icon name="plus" /> Create a webhook
      </button>
      {isOpen && (
        <WebhookForm
          title="Create a webhook"
          action="Create"
          save={async ({ url, events, description }) => {
            const input = { url, events, description }
            setSecret((await connection.change(CreateWebhook, { input })).secret)
            onChange()
          }}
          onClose={() => setIsOpen(false)}
        />
      )}
      {secret !== undefined && (
        <OpenDialog title="The webhook was created" onClose={() => setSecret(undefined)} isKept>
          <p>Its receiver verifies messages with this secret. Store it now: it is shown once.</p>
          <Secret text={secret} label="Secret of the webhook" />
          <VerifyCard />
          <div className={parts['row']}>
            <button type="button" className="button primary" onClick={() => setSecret(undefined)}>
              I have stored it
            </button>
          </div>
        </OpenDialog>
      )}
    </>
  )
}

export function EditWebhook({
  webhook,
  onChange,
  onClose,
}: {
  webhook: WebhookRow
  onChange: () => void
  onClose: () => void
}) {
  const { connection } = useSession()
  return (
    <WebhookForm
      title="Edit the webhook"
      action="Save"
      webhook={webhook}
      save={async ({ events, description }) => {
        await connection.change(UpdateWebhook, { input: { id: webhook.id, events, description } }, true)
        onChange()
      }}
      onClose={onClose}
    />
  )
}

interface Settings {
  url: string
  events: WebhookEvent[] | null
  description: string | null
}

interface WebhookFormProps {
  title: string
  action: string
  /** The webhook to change. Its URL cannot be changed. */
  webhook?: WebhookRow
  save: (settings: Settings) => Promise<void>
  onClose: () => void
}

function WebhookForm({ title, action, webhook, save, onClose }: WebhookFormProps) {
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [events, setEvents] = useState<readonly WebhookEvent[] | null>(webhook?.events ?? null)
  const [description, setDescription] = useState(webhook?.description ?? '')
  const isReady = url.trim() !== '' && (events === null || events.length > 0)

  const toggle = (event: WebhookEvent) =>
    setEvents((last) =>
      EVENTS.flatMap((one) =>
        (last ?? []).includes(one.event) === (one.event === event) ? [] : [one.event],
      ),
    )

  return (
    <FormDialog
      title={title}
      action={action}
      isReady={isReady}
      onSubmit={() =>
        save({
          url: url.trim(),
          events: events === null ? null : [...events],
          description: description.trim() || null,
        })
      }
      onClose={onClose}
    >
      <label className="label">
        URL of the receiver
        <input
          className="field"
          type="url"
          inputMode="url"
          required
          disabled={webhook !== undefined}
          placeholder="https://example.com/hooks/darkroom"
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <span className={parts['second']}>
          {webhook
            ? 'It cannot be changed; create another webhook instead.'
            : 'Public, https, on port 443 or 80.'}
        </span>
      </label>
      <fieldset>
        <legend>Messages</legend>
        <label className={parts['check']}>
          <input
            type="checkbox"
            checked={events === null}
            onChange={({ target }) => setEvents(target.checked ? null : EVENTS.map((one) => one.event))}
          />
          <span>
            All events
            <span className={parts['second']}>Including kinds that later versions add</span>
          </span>
        </label>
        {events !== null &&
          EVENTS.map(({ event, text, type }) => (
            <label key={event} className={parts['check']}>
              <input type="checkbox" checked={events.includes(event)} onChange={() => toggle(event)} />
              <span>
                {text} <code className="muted">{type}</code>
              </span>
            </label>
          ))}
      </fieldset>
      <label className="label">
        Note
        <input
          className="field"
          maxLength={200}
          placeholder="For the billing team"
          value={description}
          onChange={({ target }) => setDescription(target.value)}
        />
      </label>
    </FormDialog>
  )
}
