import { Link } from '@tanstack/react-router'
import { ListBudgets } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import parts from '../ui/parts.module.css'
import { Problem } from '../ui/problem.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import table from '../ui/table.module.css'
import { useList } from '../ui/use-list.ts'
import { useRead } from '../ui/use-read.ts'
import { BudgetBar } from './budget-bar.tsx'
import { BudgetCards } from './budget-cards.tsx'
import { budgetText } from './budgets.ts'
import { Changes } from './changes.tsx'

const REFRESH_MS = 10_000

interface TabProps {
  /** Changes with each change of the page. */
  version: number
  onChange: () => void
}

export function BudgetsTab({ version, onChange }: TabProps) {
  const { viewer } = useSession()
  const { data, error, reload } = useRead(
    (connection, signal) => connection.read(ListBudgets, {}, signal),
    'budgets',
    { refreshMs: REFRESH_MS },
  )
  const change = () => {
    reload()
    onChange()
  }
  return (
    <>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <div className={parts['skeleton']} aria-busy="true" />}
      {data && (
        <BudgetCards
          owner={viewer.project.id}
          budgets={data.budgets}
          canChange={viewer.isOperator}
          onChange={change}
        />
      )}
      {data && !viewer.isOperator && (
        <p className="muted" style={{ marginTop: 12 }}>
          An operator sets the budgets of the project.
        </p>
      )}
      <KeyBudgets />
      <Changes subject={viewer.project.id} version={version} />
    </>
  )
}

function KeyBudgets() {
  const list = useList(
    async (connection, after, signal) =>
      (await connection.read(ListBudgets, { ...(after !== undefined && { after }) }, signal)).keys,
    'budgets of keys',
    { refreshMs: REFRESH_MS },
  )
  const roving = useRovingFocus<HTMLTableElement>()
  const keys = list.items
  if (!keys || keys.length === 0) return null
  return (
    <section className={parts['section']} aria-labelledby="key-budgets">
      <h2 id="key-budgets">Budgets of keys</h2>
      <div className={table['wrap']}>
        <table className={table['table']} {...roving}>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Today</th>
              <th scope="col">This month</th>
              <th scope="col">All time</th>
            </tr>
          </thead>
          <tbody>
            {keys.map(({ id, name, budgets }) => (
              <tr key={id} data-roving>
                <td className={table['main']}>
                  <Link to="/access/keys/$id" params={{ id }}>
                    {name}
                  </Link>
                </td>
                {budgets.map((budget) => (
                  <td key={budget.period} data-label={LABELS[budget.period]}>
                    <div className={budget.limitMicros === null ? 'muted' : undefined}>
                      {budgetText(budget).replace(/ (?:today|this month|in all)$/, '')}
                      {budget.limitMicros !== null && <BudgetBar budget={budget} isSmall />}
                    </div>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {list.hasMore && (
        <button type="button" className="button" style={{ marginTop: 16 }} onClick={list.readMore}>
          Show more
        </button>
      )}
    </section>
  )
}

const LABELS = { DAY: 'Today', MONTH: 'This month', TOTAL: 'All time' } as const
