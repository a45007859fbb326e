import { useState } from 'react'
import { timeOf, type LiveSearch } from '../live/filter.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import fields from '../filters/fields.module.css'

const SPANS = [
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
] as const

type Range = Pick<LiveSearch, 'from' | 'to'>

interface WhenChoiceProps extends Range {
  onChange: (range: { from: string | undefined; to: string | undefined }) => void
}

/** When tasks were created: a span that ends now, or two times. */
export function WhenChoice({ from, to, onChange }: WhenChoiceProps) {
  const [isOpen, setIsOpen] = useState(false)
  const span = to === undefined ? SPANS.find(({ value }) => value === from)?.value : undefined
  const isFixed = span === undefined && (from !== undefined || to !== undefined)

  function choose(value: string): void {
    if (value === 'OTHER') setIsOpen(true)
    else if (value !== 'FIXED') onChange({ from: value || undefined, to: undefined })
  }

  return (
    <>
      <select
        className={`field ${fields['choice']}`}
        aria-label="Created"
        value={isFixed ? 'FIXED' : (span ?? '')}
        onChange={({ target }) => choose(target.value)}
      >
        <option value="">Any time</option>
        {SPANS.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        {isFixed && <option value="FIXED">{rangeText(from, to)}</option>}
        <option value="OTHER">From … to …</option>
      </select>
      {isOpen && <RangeForm from={from} to={to} onChange={onChange} onClose={() => setIsOpen(false)} />}
    </>
  )
}

function RangeForm({ from, to, onChange, onClose }: WhenChoiceProps & { onClose: () => void }) {
  const [start, setStart] = useState(() => localTime(from))
  const [end, setEnd] = useState(() => localTime(to))
  const isReady = start !== '' || end !== ''
  const isOrdered = start === '' || end === '' || start < end
  return (
    <FormDialog
      title="Created"
      action="Show"
      isReady={isReady && isOrdered}
      onSubmit={async () => onChange({ from: exactTime(start), to: exactTime(end) })}
      onClose={onClose}
    >
      <label className="label">
        From
        <input
          className="field"
          type="datetime-local"
          value={start}
          onChange={({ target }) => setStart(target.value)}
        />
      </label>
      <label className="label">
        To, exclusive
        <input
          className="field"
          type="datetime-local"
          value={end}
          aria-invalid={!isOrdered}
          onChange={({ target }) => setEnd(target.value)}
        />
      </label>
    </FormDialog>
  )
}

/** For a field, in the zone of the browser. Empty without a time. */
function localTime(text: string | undefined): string {
  const at = text === undefined ? undefined : timeOf(text, Date.now())
  if (at === undefined) return ''
  const local = at - new Date(at).getTimezoneOffset() * 60_000
  return new Date(local).toISOString().slice(0, 16)
}

/** For an address, in UTC: the same view for everyone. */
function exactTime(local: string): string | undefined {
  return local === '' ? undefined : `${new Date(local).toISOString().slice(0, 16)}Z`
}

function rangeText(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return `until ${shortTime(to ?? '')}`
  return to === undefined ? `since ${shortTime(from)}` : `${shortTime(from)} to ${shortTime(to)}`
}

function shortTime(text: string): string {
  const at = timeOf(text, Date.now())
  if (at === undefined) return text
  return new Date(at).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
}
