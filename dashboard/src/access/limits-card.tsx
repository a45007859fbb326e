import { useState } from 'react'
import type { LimitValues } from '../api/generated.ts'
import { Facts } from '../ui/facts.tsx'
import parts from '../ui/parts.module.css'
import { LIMITS, limitText } from './limits.ts'
import { LimitsForm, RemoveLimits } from './limits-form.tsx'

interface LimitsCardProps {
  title: string
  note: string
  /** Id of a project or of an API key. */
  owner: string
  limits: LimitValues | null
  canChange: boolean
  /** Text of the button that removes the own limits, and its effect. Undefined if there are none. */
  removal?: { text: string; effect: string } | undefined
  onChange: () => void
}

/** The limits in force. */
export function LimitsCard({ title, note, owner, limits, canChange, removal, onChange }: LimitsCardProps) {
  const [open, setOpen] = useState<'SET' | 'REMOVE'>()
  const close = () => setOpen(undefined)
  return (
    <section className={parts['card']} aria-labelledby={`limits-${owner}`}>
      <h2 id={`limits-${owner}`}>{title}</h2>
      <p className="muted">{note}</p>
      <Facts
        facts={LIMITS.map(({ name, text }) => [
          text,
          <span key={name} className={limits?.[name] == null ? 'muted' : undefined}>
            {limitText(name, limits?.[name] ?? null)}
          </span>,
        ])}
      />
      {canChange && (
        <div className={parts['row']} style={{ marginTop: 14 }}>
          <button type="button" className="button" onClick={() => setOpen('SET')}>
            Change
          </button>
          {removal && (
            <button type="button" className="button quiet" onClick={() => setOpen('REMOVE')}>
              {removal.text}
            </button>
          )}
        </div>
      )}
      {open === 'SET' && <LimitsForm owner={owner} limits={limits} onChange={onChange} onClose={close} />}
      {open === 'REMOVE' && removal && (
        <RemoveLimits owner={owner} effect={removal.effect} onChange={onChange} onClose={close} />
      )}
    </section>
  )
}
