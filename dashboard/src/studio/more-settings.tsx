import { useId, type ReactNode } from 'react'
import { Icon } from '../ui/icon.tsx'
import type { Label } from './extra.ts'
import { Field, Segments, Stepper } from './field.tsx'
import { countMore, MAX_CHARGES, MAX_LABELS } from './more.ts'
import type { Rules } from './rules.ts'
import type { StudioSettings } from './settings.ts'
import styles from './more-settings.module.css'

interface MoreSettingsProps {
  rules: Rules
  settings: StudioSettings
  change: (part: Partial<StudioSettings>) => void
}

/** Parameters of the provider, labels, the receiver of the result, and policies. Closed while all have their defaults. */
export function MoreSettings(props: MoreSettingsProps) {
  const { rules, settings, change } = props
  const names = rules.extra?.options.map(({ value }) => value) ?? []
  const count = countMore(settings, names)
  const lost = rules.impossible.find(({ name }) => name === 'extra')
  return (
    <details className={styles['more']} open={lost ? true : undefined}>
      <summary>
        More settings
        {count > 0 && <span className={styles['count']}>{count} set</span>}
      </summary>
      <div className={styles['fields']}>
        {(names.length > 0 || lost) && <Parameters {...props} />}
        <Labels labels={settings.metadata} onChange={(metadata) => change({ metadata })} />
        <TextField
          label="Address for the result"
          hint="signed POST"
          type="url"
          placeholder="https://example.com/done"
          value={settings.callbackUrl}
          onChange={(callbackUrl) => change({ callbackUrl })}
        />
        <TextField
          label="End user"
          hint="an id, no personal data"
          type="text"
          placeholder="none"
          value={settings.user}
          onChange={(user) => change({ user })}
        />
        <Field label="After a lost response" onChange={change}>
          <Segments
            name="onUnknownOutcome"
            value={settings.onUnknownOutcome}
            options={[
              { value: 'HOLD', providers: undefined },
              { value: 'RESEND', providers: undefined },
            ]}
            text={(value) => (value === 'HOLD' ? 'Wait for a decision' : 'Send again')}
            onChange={(onUnknownOutcome) =>
              // Sending again needs permission for a second charge.
              change({
                onUnknownOutcome,
                maxCharges: onUnknownOutcome === 'HOLD' ? 1 : Math.max(2, settings.maxCharges),
              })
            }
          />
        </Field>
        {settings.onUnknownOutcome === 'RESEND' && (
          <Field label="Possible charges" hint="per request, at most" onChange={change}>
            <Stepper
              label="possible charges"
              value={settings.maxCharges}
              min={1}
              max={MAX_CHARGES}
              onChange={(maxCharges) => change({ maxCharges: maxCharges ?? 1 })}
            />
          </Field>
        )}
        <Field label="Unsupported settings" onChange={change}>
          <Segments
            name="unsupported"
            value={settings.unsupported}
            options={[
              { value: 'WARN', providers: undefined },
              { value: 'ERROR', providers: undefined },
            ]}
            text={(value) => (value === 'WARN' ? 'Adjust and warn' : 'Refuse')}
            onChange={(unsupported) => change({ unsupported })}
          />
        </Field>
      </div>
    </details>
  )
}

function Parameters({ rules, settings, change }: MoreSettingsProps) {
  const impossible = rules.impossible.find(({ name }) => name === 'extra')
  return (
    <Field label="Parameters of the provider" hint="text or JSON" impossible={impossible} onChange={change}>
      {rules.extra?.options.map(({ value: name, providers }) => (
        <label key={name} className={styles['parameter']}>
          <span className="mono">
            {name}
            {providers && <small> {providers.join(', ')}</small>}
          </span>
          <input
            className="field"
            value={settings.extra[name] ?? ''}
            placeholder="not sent"
            onChange={({ target }) => change({ extra: { ...settings.extra, [name]: target.value } })}
          />
        </label>
      ))}
    </Field>
  )
}

function Labels({
  labels,
  onChange,
}: {
  labels: readonly Label[]
  onChange: (labels: readonly Label[]) => void
}) {
  const set = (index: number, part: Partial<Label>) =>
    onChange(labels.map((label, at) => (at === index ? { ...label, ...part } : label)))
  return (
    <Field label="Labels" hint="for search and reports" onChange={() => {}}>
      {labels.map(({ key, value }, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- its place is all that a label keeps while it is typed
        <span key={index} className={styles['label']}>
          <input
            className="field"
            aria-label={`Name of label ${index + 1}`}
            placeholder="name"
            maxLength={64}
            value={key}
            onChange={({ target }) => set(index, { key: target.value })}
          />
          <input
            className="field"
            aria-label={`Value of label ${index + 1}`}
            placeholder="value"
            maxLength={500}
            value={value}
            onChange={({ target }) => set(index, { value: target.value })}
          />
          <button
            type="button"
            className="button quiet"
            aria-label={`Remove label ${index + 1}`}
            onClick={() => onChange(labels.filter((_, at) => at !== index))}
          >
            <Icon name="cross" size={12} />
          </button>
        </span>
      ))}
      {labels.length < MAX_LABELS && (
        <button
          type="button"
          className="button"
          onClick={() => onChange([...labels, { key: '', value: '' }])}
        >
          <Icon name="plus" /> Label
        </button>
      )}
    </Field>
  )
}

interface TextFieldProps {
  label: string
  hint: ReactNode
  type: 'text' | 'url'
  placeholder: string
  value: string
  onChange: (value: string) => void
}

function TextField({ label, hint, type, placeholder, value, onChange }: TextFieldProps) {
  const id = useId()
  return (
    <Field label={label} hint={hint} onChange={() => {}}>
      <input
        id={id}
        type={type}
        className="field"
        aria-label={label}
        placeholder={placeholder}
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
    </Field>
  )
}
