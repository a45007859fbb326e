import { useState } from 'react'
import { SetLimits, type LimitValues } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import parts from '../ui/parts.module.css'
import styles from './access.module.css'
import { LIMITS, limitField, readLimit, type LimitName } from './limits.ts'

interface LimitsFormProps {
  /** Id of a project or of an API key. */
  owner: string
  /** Those that apply now. */
  limits: LimitValues | null
  onChange: () => void
  onClose: () => void
}

export function LimitsForm({ owner, limits, onChange, onClose }: LimitsFormProps) {
  const { connection } = useSession()
  const [texts, setTexts] = useState<Readonly<Partial<Record<LimitName, string>>>>({})
  const textOf = (name: LimitName) => texts[name] ?? limitField(name, limits?.[name] ?? null)
  const values = LIMITS.map(({ name }) => [name, readLimit(name, textOf(name))] as const)

  async function save(): Promise<void> {
    const changed = Object.fromEntries(values.filter(([name]) => texts[name] !== undefined))
    await connection.change(SetLimits, { input: { owner, limits: changed } }, true)
    onChange()
  }

  return (
    <FormDialog
      title="Limits"
      action="Save"
      isReady={Object.keys(texts).length > 0 && values.every(([, value]) => value !== undefined)}
      onSubmit={save}
      onClose={onClose}
    >
      <p className="muted">An empty field is no limit. Changes apply within 5 seconds.</p>
      {LIMITS.map(({ name, text, note }) => (
        <label key={name} className={styles['pair']}>
          <span>
            {text}
            <span className={parts['second']}>{note}</span>
          </span>
          <input
            className="field"
            inputMode="decimal"
            placeholder="no limit"
            value={textOf(name)}
            aria-invalid={readLimit(name, textOf(name)) === undefined}
            onChange={({ target }) => setTexts((last) => ({ ...last, [name]: target.value }))}
          />
        </label>
      ))}
    </FormDialog>
  )
}

interface RemoveLimitsProps {
  owner: string
  /** Which limits apply afterwards. */
  effect: string
  onChange: () => void
  onClose: () => void
}

export function RemoveLimits({ owner, effect, onChange, onClose }: RemoveLimitsProps) {
  const { connection } = useSession()
  async function remove(): Promise<void> {
    await connection.change(SetLimits, { input: { owner, limits: null } }, true)
    onChange()
  }
  return (
    <FormDialog title="Remove all limits" action="Remove" onSubmit={remove} onClose={onClose}>
      <p>{effect}</p>
    </FormDialog>
  )
}
