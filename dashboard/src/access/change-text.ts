// Entries of the audit log in words.
import type { AuditRow, BudgetPeriod } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { PERIODS } from './budgets.ts'
import { LIMITS, limitText } from './limits.ts'

/** What was done, as the end of a sentence that begins with who did it: `set the budget today to $5.00, before: none`. */
export function changeText({ action, details }: Pick<AuditRow, 'action' | 'details'>): string {
  const values = new Map(details.map(({ name, value }) => [name, value]))
  const name = values.get('name')
  if (action === 'createApiKey')
    return `created the key “${name}”: ${values.get('scopes')?.toLowerCase().replaceAll(' ', ', ')}`
  if (action === 'revokeApiKey') return `revoked the key “${name}”`
  if (action === 'createProject') return `created the project “${name}”`
  if (action === 'setBudget') return budgetChange(values)
  if (action === 'setLimits') return limitChange(values)
  return `${action}${details.map((one) => `, ${one.name} ${one.value ?? 'none'}`).join('')}`
}

function budgetChange(values: ReadonlyMap<string, string | null>): string {
  const period = PERIODS[values.get('period') as BudgetPeriod]?.title.toLowerCase() ?? ''
  const limit = amountOf(values.get('limitMicros'))
  const before = amountOf(values.get('before'))
  if (limit === 'none') return `removed the budget (${period}), before: ${before}`
  return `set the budget (${period}) to ${limit}, before: ${before}`
}

function amountOf(text: string | null | undefined): string {
  return text === null || text === undefined ? 'none' : formatMoney(Number(text))
}

function limitChange(values: ReadonlyMap<string, string | null>): string {
  const changed = LIMITS.flatMap(({ name, text }) => {
    const value = values.get(name)
    if (value === undefined) return []
    return [`${text.toLowerCase()}: ${limitText(name, value === null ? null : Number(value))}`]
  })
  return changed.length > 0 ? `set limits, ${changed.join(', ')}` : 'removed all limits'
}
