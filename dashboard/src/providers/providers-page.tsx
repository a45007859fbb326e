import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { ReadProviderStats, WatchProviders, type ProviderState } from '../api/generated.ts'
import { formatAge, formatExactTime } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Cooldowns, Health } from './health.tsx'
import { Load } from './load.tsx'
import { ProviderActions } from './provider-actions.tsx'
import styles from './providers-page.module.css'
import { successText, timesText } from './stat-texts.ts'
import { useProviders, type ProviderStats } from './use-providers.ts'

export function ProvidersPage() {
  const { may } = useSession()
  const { providers, stats, error, reload, put } = useProviders(may('READ'))
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read providers" />
  return (
    <div className={styles['page']}>
      <PageHead title="Providers" note={providers ? 'updates live, figures of the last hour' : undefined}>
        <QueryButton
          queries={[
            { text: 'State', document: WatchProviders },
            { text: 'Figures', document: ReadProviderStats },
          ]}
        />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {!providers && !error && <div className={styles['skeleton']} aria-busy="true" />}
      {providers?.length === 0 && <p className="muted">The configuration has no provider.</p>}
      <ul className={styles['list']}>
        {providers?.map((provider) => (
          <li key={provider.name} className={styles['provider']} data-provider={provider.name}>
            <ProviderRow provider={provider} stats={stats.get(provider.name)} onChange={put} />
          </li>
        ))}
      </ul>
    </div>
  )
}

interface RowProps {
  provider: ProviderState
  stats: ProviderStats | undefined
  onChange: (provider: ProviderState) => void
}

function ProviderRow({ provider, stats, onChange }: RowProps) {
  const now = useNow(15_000)
  const { name, dialect, health, cooldowns, queuedAttempts } = provider
  return (
    <>
      <div className={styles['name']}>
        <h2>
          <Link to="/providers/$name" params={{ name }}>
            {name}
          </Link>
        </h2>
        <span className="muted">{provider.configured ? dialect : 'not configured'}</span>
      </div>
      <div className={styles['state']}>
        <Health health={health} />
        <Cooldowns cooldowns={cooldowns} />
      </div>
      <dl className={styles['figures']}>
        <Figure name="Running">
          <Load provider={provider} />
        </Figure>
        <Figure name="Queued">{queuedAttempts}</Figure>
        <Figure name="Succeeded">{stats ? successText(stats) : ' '}</Figure>
        <Figure name="Time p50 / p95">{stats ? timesText(stats) : ' '}</Figure>
      </dl>
      <ProviderActions provider={provider} onChange={onChange} />
      {stats?.lastError && (
        <p className={styles['error']}>
          <span className="muted" title={formatExactTime(stats.lastError.at)}>
            Last error {formatAge(stats.lastError.at, now)}:
          </span>{' '}
          {stats.lastError.message} <span className="mono muted">{stats.lastError.code}</span>
        </p>
      )}
    </>
  )
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
