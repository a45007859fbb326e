import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { ListAllProjects, ListAudit, ListBudgets, ListKeys, ReadProjectLimits } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { PageHead } from '../ui/page-head.tsx'
import parts from '../ui/parts.module.css'
import { QueryButton, type ShownQuery } from '../ui/query-button.tsx'
import { Segments } from '../ui/segments.tsx'
import { ACCESS_TABS, type AccessTab } from './access-search.ts'
import { BudgetsTab } from './budgets-tab.tsx'
import { CreateKeyButton } from './create-key.tsx'
import { KeysTab } from './keys-tab.tsx'
import { LimitsTab } from './limits-tab.tsx'
import { CreateProjectButton, ProjectsTab } from './projects-tab.tsx'

const TEXTS: Readonly<Record<AccessTab, string>> = {
  keys: 'Keys',
  budgets: 'Budgets',
  limits: 'Limits',
  projects: 'Projects',
}

export function AccessPage() {
  const { may } = useSession()
  const missing = (['READ', 'ADMIN'] as const).find((scope) => !may(scope))
  if (missing) return <NoRight scope={missing} text="This key may not manage access" />
  return <AccessView />
}

function AccessView() {
  const { viewer, may } = useSession()
  const { tab = 'keys' } = useSearch({ from: '/access' })
  const navigate = useNavigate({ from: '/access' })
  const [version, setVersion] = useState(0)
  const onChange = () => setVersion((count) => count + 1)
  const tabs = ACCESS_TABS.filter((one) =>
    one === 'budgets' ? may('REPORT') : one === 'projects' ? viewer.isOperator : true,
  )
  const isAllowed = tabs.includes(tab)
  const subject = viewer.project.id
  const queries: Readonly<Record<AccessTab, readonly ShownQuery[]>> = {
    keys: [
      { text: 'Keys', document: ListKeys },
      ...(may('REPORT') ? [{ text: 'Budgets', document: ListBudgets }] : []),
    ],
    budgets: [
      { text: 'Budgets', document: ListBudgets },
      { text: 'Changes', document: ListAudit, variables: { subject } },
    ],
    limits: [
      { text: 'Limits', document: ReadProjectLimits },
      { text: 'Changes', document: ListAudit, variables: { subject } },
    ],
    projects: [{ text: 'Projects', document: ListAllProjects }],
  }

  return (
    <div className={parts['page']}>
      <PageHead title="Access">
        {tab === 'keys' && !viewer.isOpen && <CreateKeyButton onChange={onChange} />}
        {tab === 'projects' && isAllowed && <CreateProjectButton onChange={onChange} />}
        <QueryButton queries={queries[tab]} />
      </PageHead>
      <div className={parts['tabs']}>
        <Segments
          label="What"
          options={tabs.map((one) => ({ value: one, text: TEXTS[one] }))}
          value={tab}
          onChange={(next) =>
            void navigate({ search: { tab: next === 'keys' ? undefined : next }, resetScroll: false })
          }
        />
      </div>
      {!isAllowed && (
        <p className="muted">
          {tab === 'budgets' ? 'Budgets require the scope REPORT.' : 'Projects are for operators.'}
        </p>
      )}
      {tab === 'keys' && <KeysTab version={version} />}
      {tab === 'budgets' && isAllowed && <BudgetsTab version={version} onChange={onChange} />}
      {tab === 'limits' && <LimitsTab version={version} onChange={onChange} />}
      {tab === 'projects' && isAllowed && <ProjectsTab version={version} />}
    </div>
  )
}
