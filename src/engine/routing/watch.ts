import { countByProvider } from '../../db/attempts/counts.ts'
import { PROVIDERS_KEY } from '../../db/connection/wake-up-keys.ts'
import { listCooldowns, type CooldownRow } from '../../db/providers/cooldowns.ts'
import type { Deps } from '../deps.ts'
import type { LiveSource } from '../events/live-source.ts'
import type { ValueWatch } from '../events/value-watch.ts'

export type ProviderStates = Awaited<ReturnType<typeof readStates>>

export function watchProviders(
  deps: Pick<Deps, 'db' | 'clock' | 'providers'>,
  watch: ValueWatch,
): LiveSource<ProviderStates> {
  return watch({
    key: 'providers',
    wakeUpKey: PROVIDERS_KEY,
    read: () => readStates(deps),
    contentOf: (states) => states,
    // An expiry has no transaction.
    maxIntervalMs: ({ cooldowns }) => {
      const ends = cooldowns.flatMap(({ inCooldown, until }) => (inCooldown && until !== null ? [until] : []))
      return Math.max(0, Math.min(...ends) - deps.clock.now())
    },
  })
}

const nameOf = ({ provider, model }: CooldownRow) => `${provider}/${model}`

async function readStates({ db, providers }: Pick<Deps, 'db' | 'providers'>) {
  const counts = providers.map(async ({ name }) => ({ name, ...(await countByProvider(db.reports, name)) }))
  const cooldowns = await listCooldowns(db.read)
  return {
    cooldowns: cooldowns.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    counts: await Promise.all(counts),
  }
}
