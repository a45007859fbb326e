import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ReadProviderModels, ReadProviderStats, WatchProviders } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Segments } from '../ui/segments.tsx'
import { Health } from './health.tsx'
import { HealthTab } from './health-tab.tsx'
import { ModelsTab } from './models-tab.tsx'
import { PricesTab } from './prices-tab.tsx'
import { ProviderActions } from './provider-actions.tsx'
import parts from '../ui/parts.module.css'
import styles from './provider-page.module.css'
import { TABS, type ProviderTab } from './providers-search.ts'
import { useOffer, useProviders } from './use-providers.ts'

const TEXTS: Readonly<Record<ProviderTab, string>> = { health: 'Health', models: 'Models', prices: 'Prices' }

export function ProviderPage() {
  const { may } = useSession()
  const { name } = useParams({ from: '/providers/$name' })
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read providers" />
  return <ProviderView key={name} name={name} />
}

function ProviderView({ name }: { name: string }) {
  const { tab = 'health' } = useSearch({ from: '/providers/$name' })
  const navigate = useNavigate({ from: '/providers/$name' })
  const { providers, stats, error, reload, put } = useProviders(true)
  const { offer, error: offerError, reload: reloadOffer } = useOffer(name)
  const provider = providers?.find((one) => one.name === name)
  const isMissing = providers !== undefined && !provider
  return (
    <div className={parts['page']}>
      <Link to="/providers" className={parts['back']}>
        <Icon name="back" /> Providers
      </Link>
      <PageHead title={name} note={provider && <Health health={provider.health} />}>
        {provider && (
          <ProviderActions
            provider={provider}
            models={offer?.models.map((model) => model.name)}
            onChange={put}
          />
        )}
        <QueryButton
          queries={[
            { text: 'State', document: WatchProviders },
            { text: 'Figures', document: ReadProviderStats },
            { text: 'Models', document: ReadProviderModels },
          ]}
        />
      </PageHead>
      {error && <Problem error={error} onRetry={reload} />}
      {offerError && <Problem error={offerError} onRetry={reloadOffer} />}
      {isMissing && <p className="muted">The configuration has no provider with this name.</p>}
      {!isMissing && (
        <>
          <div className={styles['tabs']}>
            <Segments
              label="Details"
              options={TABS.map((one) => ({ value: one, text: TEXTS[one] }))}
              value={tab}
              onChange={(next) =>
                void navigate({ search: { tab: next === 'health' ? undefined : next }, resetScroll: false })
              }
            />
          </div>
          {(!provider || !offer) && !error && !offerError && (
            <div className={styles['skeleton']} aria-busy="true" />
          )}
          {provider && offer && tab === 'health' && (
            <HealthTab provider={provider} offer={offer} stats={stats.get(name)} />
          )}
          {offer && tab === 'models' && <ModelsTab models={offer.models} />}
          {offer && tab === 'prices' && <PricesTab models={offer.models} />}
        </>
      )}
    </div>
  )
}
