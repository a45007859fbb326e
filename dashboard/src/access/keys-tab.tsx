import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { ListBudgets, ListKeys, type BudgetState, type KeyRow } from '../api/generated.ts'
import { useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import table from '../ui/table.module.css'
import { useList } from '../ui/use-list.ts'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { BudgetBar } from './budget-bar.tsx'
import { budgetText, tightest } from './budgets.ts'
import { FirstKey } from './first-key.tsx'
import { exactOf, keyState, lastUsedText } from './key-state.ts'
import { scopesText } from './scopes.ts'

/** `version` changes with each change of the page. */
export function KeysTab({ version }: { version: number }) {
  const { may, viewer } = useSession()
  const { revoked = false } = useSearch({ from: '/access' })
  const navigate = useNavigate({ from: '/access' })
  const includeRevoked = revoked
  const list = useList(
    async (connection, after, signal) =>
      (await connection.read(ListKeys, { includeRevoked, ...(after !== undefined && { after }) }, signal))
        .keys,
    `keys ${String(revoked)}`,
    { version },
  )
  const budgets = useList(
    async (connection, after, signal) =>
      (await connection.read(ListBudgets, { ...(after !== undefined && { after }) }, signal)).keys,
    'key budgets',
    { isEnabled: may('REPORT'), version },
  )
  const byKey = new Map(budgets.items?.map((one) => [one.id, one.budgets]))
  const roving = useRovingFocus<HTMLTableElement>()
  const keys = list.items

  return (
    <>
      {list.error && <Problem error={list.error} onRetry={list.reload} />}
      {!keys && !list.error && <div className={parts['skeleton']} aria-busy="true" />}
      {keys?.length === 0 && (viewer.isOpen ? <FirstKey /> : <NoKey />)}
      {keys && keys.length > 0 && (
        <div className={table['wrap']}>
          <table className={table['table']} {...roving}>
            <caption className="hidden">API keys, oldest first</caption>
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">May</th>
                <th scope="col">Last used</th>
                {may('REPORT') && <th scope="col">Tightest budget</th>}
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <Row key={key.id} apiKey={key} budgets={byKey.get(key.id)} hasBudgets={may('REPORT')} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className={parts['row']} style={{ marginTop: 16 }}>
        {list.hasMore && (
          <button
            type="button"
            className="button"
            onClick={() => {
              list.readMore()
              budgets.readMore()
            }}
          >
            Show more
          </button>
        )}
        {!viewer.isOpen && (
          <label className={parts['check']}>
            <input
              type="checkbox"
              checked={revoked}
              onChange={({ target }) =>
                void navigate({
                  search: (last) => ({ ...last, revoked: target.checked || undefined }),
                  resetScroll: false,
                })
              }
            />
            Show revoked keys
          </label>
        )}
      </div>
    </>
  )
}

function NoKey() {
  return (
    <div className={parts['empty']}>
      <h2>This project has no key</h2>
      <p>A key lets a program use this project, with the rights and the budget that you choose.</p>
    </div>
  )
}

interface RowProps {
  apiKey: KeyRow
  budgets: readonly BudgetState[] | undefined
  hasBudgets: boolean
}

function Row({ apiKey, budgets, hasBudgets }: RowProps) {
  const { viewer } = useSession()
  const now = useNow(30_000)
  const { id, name, prefix, scopes } = apiKey
  const { text, tone } = keyState(apiKey, now)
  const budget = budgets && tightest(budgets)
  return (
    <tr data-key={id} data-off={tone === 'off' || undefined} data-roving>
      <td className={table['main']}>
        <Link to="/access/keys/$id" params={{ id }}>
          {name}
        </Link>
        {viewer.apiKey?.prefix === prefix && <span className="muted"> this session</span>}
        <span className={`mono ${parts['second']}`}>{prefix}…</span>
      </td>
      <td data-label="May">{scopesText(scopes)}</td>
      <td data-label="Last used" title={exactOf(apiKey.lastUsedAt)}>
        {lastUsedText(apiKey, now)}
      </td>
      {hasBudgets && (
        <td data-label="Budget">
          <div>
            {budget ? budgetText(budget) : <span className="muted">{budgets ? 'none' : ''}</span>}
            {budget && <BudgetBar budget={budget} isSmall />}
          </div>
        </td>
      )}
      <td data-label="State" title={exactOf(apiKey.revokedAt ?? apiKey.expiresAt)}>
        <span className={tone === 'off' ? undefined : parts[tone]}>{text}</span>
      </td>
    </tr>
  )
}
