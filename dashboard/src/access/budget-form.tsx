import { useState } from 'react'
import { SetBudget, type BudgetState } from '../api/generated.ts'
import { formatMoney, parseMoney } from '../format/money.ts'
import { useSession } from '../session/context.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import parts from '../ui/parts.module.css'
import { PERIODS } from './budgets.ts'

interface BudgetFormProps {
  owner: string
  budget: BudgetState
  onChange: () => void
  onClose: () => void
}

export function BudgetForm({ owner, budget, onChange, onClose }: BudgetFormProps) {
  const { connection } = useSession()
  const { period, limitMicros: last, spentMicros, heldMicros } = budget
  const [text, setText] = useState(last === null ? '' : String(last / 1_000_000))
  const limitMicros = parseMoney(text)
  const used = spentMicros + heldMicros

  async function save(): Promise<void> {
    await connection.change(SetBudget, { input: { owner, period, limitMicros: limitMicros ?? 0 } }, true)
    onChange()
  }

  return (
    <FormDialog
      title={`Budget, ${PERIODS[period].title.toLowerCase()}`}
      action="Save"
      isReady={limitMicros !== undefined}
      onSubmit={save}
      onClose={onClose}
    >
      <label className="label">
        Maximum in USD
        <input
          className="field"
          inputMode="decimal"
          placeholder="50"
          required
          value={text}
          aria-invalid={text !== '' && limitMicros === undefined}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <p className="muted">{effectOf(limitMicros, used)}</p>
      {period !== 'TOTAL' && <p className={parts['second']}>Days and months are those of UTC.</p>}
    </FormDialog>
  )
}

/** What the new limit does to the next attempt. */
function effectOf(limitMicros: number | undefined, used: number): string {
  if (limitMicros === undefined) return 'An amount with up to six decimals. 0 stops all spending.'
  if (limitMicros === 0) return 'Stops all spending, from the next attempt.'
  if (limitMicros <= used)
    return `${formatMoney(used)} is spent or held already: new attempts are refused until the period ends.`
  return `${formatMoney(limitMicros - used)} is left from the next attempt on.`
}

export function RemoveBudget({ owner, budget, onChange, onClose }: BudgetFormProps) {
  const { connection } = useSession()
  const { period, limitMicros } = budget

  async function remove(): Promise<void> {
    await connection.change(SetBudget, { input: { owner, period, limitMicros: null } }, true)
    onChange()
  }

  return (
    <FormDialog title="Remove the budget" action="Remove" onSubmit={remove} onClose={onClose}>
      <p>
        The limit of {formatMoney(limitMicros)} {PERIODS[period].within} ends. Other budgets still apply. What
        was spent stays in the reports.
      </p>
    </FormDialog>
  )
}
