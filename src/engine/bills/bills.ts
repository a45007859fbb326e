import { badInput, GatewayError } from '../../errors.ts'
import { startOfDay } from '../../period.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { getProvider } from '../routing/configured.ts'
import { applyBill, type AppliedBill } from './apply.ts'
import { checkPeriod, type Bill, type BillComparison, type BillPeriod } from './bill.ts'
import { compareBill } from './compare.ts'
import { compareDays } from './days.ts'

export interface ProviderPeriod extends BillPeriod {
  provider: string
}

const FETCH_TIMEOUT_MS = 120_000

/** Compares bills with the attempts of all projects. */
export function createBills(deps: Deps) {
  const { db, clock, providers } = deps

  async function compareProviderBill({ provider, from, to }: ProviderPeriod): Promise<BillComparison> {
    const period = { from, to }
    checkPeriod(period)
    for (const [name, at] of Object.entries(period))
      if (startOfDay(at) !== at)
        throw badInput(name, `${name} is ${new Date(at).toISOString()}; a bill has whole days in UTC.`)
    const account = getProvider(providers, provider, 'provider')
    if (!account.fetchBill)
      throw badInput(
        'provider',
        `The bill of ${provider} cannot be read: it needs dialect openai and \`adminKey\`. Import a file instead.`,
      )
    try {
      const days = await account.fetchBill(period, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
      return await compareDays(db.reports, { provider, ...period, now: clock.now() }, days)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      throw new GatewayError('CONFLICT', error.message, { field: 'provider', cause: error })
    }
  }

  return {
    compareBill: (bill: Bill) => compareBill(db.reports, bill),
    async applyBill(by: Access, bill: Bill): Promise<AppliedBill> {
      return applyBill(deps, by, await compareBill(db.reports, bill), bill.source)
    },
    compareProviderBill,
    async applyProviderBill(by: Access, period: ProviderPeriod): Promise<AppliedBill> {
      return applyBill(deps, by, await compareProviderBill(period), `bill fetched from ${period.provider}`)
    },
  }
}
