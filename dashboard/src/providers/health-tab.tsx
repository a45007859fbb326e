import type { ReactNode } from 'react'
import type { ProviderState } from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { Cooldowns } from './health.tsx'
import styles from './health-tab.module.css'
import { Load } from './load.tsx'
import { successText, timesText } from './stat-texts.ts'
import type { ProviderOffer, ProviderStats } from './use-providers.ts'

const MODES: Readonly<Record<ProviderOffer['modes'][number], string>> = {
  STREAM: 'one request with previews',
  SYNC: 'one request',
  POLL: 'submit, then poll',
  CALLBACK: 'submit, then a callback',
}
const RECOVERIES: Readonly<Record<NonNullable<ProviderOffer['recovery']>, string>> = {
  CALLBACK: 'by the id of the provider, or by a callback',
  CLIENT_REF: 'by the attempt id, which the provider stores',
  REMOTE_ID: 'by the id of the provider, once it was received',
  NONE: 'not possible: the outcome stays unknown until it is decided',
}

interface HealthTabProps {
  provider: ProviderState
  offer: ProviderOffer
  stats: ProviderStats | undefined
}

export function HealthTab({ provider, offer, stats }: HealthTabProps) {
  return (
    <div className={styles['columns']}>
      <section className={styles['card']} aria-labelledby="now-title">
        <h2 id="now-title">Now</h2>
        <dl>
          <Fact name="Cooldowns">
            {provider.cooldowns.length === 0 ? 'none' : <Cooldowns cooldowns={provider.cooldowns} />}
          </Fact>
          <Fact name="Running">
            <Load provider={provider} />
          </Fact>
          <Fact name="Queued">{provider.queuedAttempts}</Fact>
        </dl>
      </section>
      <section className={styles['card']} aria-labelledby="hour-title">
        <h2 id="hour-title">Last hour</h2>
        <dl>
          <Fact name="Sent">{stats?.attempts ?? ' '}</Fact>
          <Fact name="Succeeded">{stats ? successText(stats) : ' '}</Fact>
          <Fact name="Failed, not charged">{stats?.failedUncharged ?? ' '}</Fact>
          <Fact name="Unknown charge">{stats?.unknown ?? ' '}</Fact>
          <Fact name="Time p50 / p95">{stats ? timesText(stats) : ' '}</Fact>
          <Fact name="Last error">
            {stats?.lastError ? (
              <>
                {stats.lastError.message}{' '}
                <span className="mono muted">
                  {stats.lastError.code}, {formatExactTime(stats.lastError.at)}
                </span>
              </>
            ) : (
              'none'
            )}
          </Fact>
        </dl>
      </section>
      <section className={styles['card']} aria-labelledby="traits-title">
        <h2 id="traits-title">How it works</h2>
        <dl>
          <Fact name="Protocol">{provider.dialect ?? 'unknown'}</Fact>
          <Fact name="Delivery">
            {offer.modes.map((mode) => (
              <span key={mode} className={styles['line']}>
                {MODES[mode]}
              </span>
            ))}
          </Fact>
          <Fact name="Lost response">{offer.recovery === null ? 'unknown' : RECOVERIES[offer.recovery]}</Fact>
          <Fact name="A failure after acceptance">
            {offer.failureCharge === 'NO' ? 'is not charged' : 'may be charged'}
          </Fact>
        </dl>
      </section>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles['fact']}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
