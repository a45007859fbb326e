import { describe, expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { openGatewayWithKeys } from './gateway-with-keys.ts'

interface AuditLog {
  auditLog: {
    nodes: {
      id: string
      action: string
      subject: string
      by: string
      details: { name: string; value: string }[]
    }[]
    totalCount: number
    pageInfo: { hasNextPage: boolean; endCursor: string }
  }
}

const LOG = `query ($subject: ID, $first: Int, $after: String) {
  auditLog(subject: $subject, first: $first, after: $after) {
    nodes { id action subject by details { name value } } totalCount pageInfo { hasNextPage endCursor }
  }
}`
const SET_BUDGET = `mutation ($owner: ID!, $limitMicros: BigInt) {
  setBudget(input: { owner: $owner, period: DAY, limitMicros: $limitMicros }) { budget { period } }
}`

describe.each(DATABASES)('the audit log on %s', (database) => {
  it('has the decisions of its project, latest first, and who decided', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const shop = await keyed.newProject('shop')
    const other = await keyed.newProject('other')
    const admin = await keyed.newKey({ project: shop, scopes: ['ADMIN'] })
    const { id: owner } = await keyed.newKey({ project: shop })
    await keyed.operator(other).get(SET_BUDGET, { owner: other, limitMicros: 1 })
    for (const limitMicros of [5, 6, null]) await keyed.as(admin.key).get(SET_BUDGET, { owner, limitMicros })

    const own = await keyed.as(admin.key).get<AuditLog>(LOG, { subject: owner, first: 2 })
    const { nodes, totalCount, pageInfo } = own.auditLog
    expect(nodes.map(({ action, by, details }) => [action, by, details])).toEqual([
      ['setBudget', admin.id, detailsOf('6', null)],
      ['setBudget', admin.id, detailsOf('5', '6')],
    ])
    expect(totalCount).toBe(4)
    const rest = await keyed
      .as(admin.key)
      .get<AuditLog>(LOG, { subject: owner, first: 2, after: pageInfo.endCursor })
    expect(rest.auditLog.nodes.map(({ action }) => action)).toEqual(['setBudget', 'createApiKey'])

    const foreign = await keyed.as(admin.key).get<AuditLog>(LOG, { subject: other })
    expect(foreign.auditLog.nodes).toEqual([])
    const everything = await keyed.operator().get<AuditLog>(LOG, {})
    expect(new Set(everything.auditLog.nodes.map(({ subject }) => subject))).toEqual(
      new Set([other, owner, admin.id, shop]),
    )
  })

  it('is for keys with the scope ADMIN', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const { key } = await keyed.newKey({ scopes: ['READ', 'REPORT', 'GENERATE'] })
    const { errors } = await keyed.as(key).execute(LOG)
    expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')
  })
})

function detailsOf(before: string, limitMicros: string | null) {
  return [
    { name: 'before', value: before },
    { name: 'limitMicros', value: limitMicros },
    { name: 'period', value: 'DAY' },
  ]
}
