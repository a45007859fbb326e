// Wrong inputs of mutations that have none in other files.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bad, openServerForRows, PERIOD, type ServerForRows } from './bad-row.ts'

const [BAD, NONE] = ['BAD_USER_INPUT', 'NOT_FOUND']

const mutation = (call: string, selection: string) => `mutation { ${call} { ${selection} } }`

const MUTATIONS = [
  bad(
    'B153',
    'setRetention',
    'a retention of a negative time',
    mutation('setRetention(input: { tasksMs: -1 })', 'project { id }'),
    BAD,
    'tasksMs',
  ),
  bad(
    'B153',
    'setRetention',
    'a retention of no time',
    mutation('setRetention(input: { eventsMs: 0 })', 'project { id }'),
    BAD,
    'eventsMs',
  ),
  bad(
    'B154',
    'updateWebhook',
    'a change of an unknown webhook',
    mutation('updateWebhook(input: { id: "wh_none", description: "x" })', 'webhook { id }'),
    NONE,
    'id',
  ),
  bad(
    'B154',
    'updateWebhook',
    'a change to no events',
    'mutation ($webhook: ID!) { updateWebhook(input: { id: $webhook, events: [] }) { webhook { id } } }',
    BAD,
    'events',
  ),
  bad(
    'B154',
    'createWebhook',
    'a webhook at a private address',
    mutation('createWebhook(input: { url: "https://10.0.0.1/hook" })', 'webhook { id }'),
    BAD,
    'url',
  ),
  bad(
    'B154',
    'deleteWebhook',
    'a deletion of an unknown webhook',
    mutation('deleteWebhook(input: { id: "wh_none" })', 'webhook { id }'),
    NONE,
    'id',
  ),
  bad(
    'B154',
    'sendTestWebhook',
    'a test of an unknown webhook',
    mutation('sendTestWebhook(input: { id: "wh_none" })', 'delivery { id }'),
    NONE,
    'id',
  ),
  bad(
    'B154',
    'redeliverWebhook',
    'an unknown delivery',
    mutation('redeliverWebhook(input: { deliveryId: "whd_none" })', 'delivery { id }'),
    NONE,
    'deliveryId',
  ),
  bad(
    'B155',
    'setBudget',
    'a negative budget',
    'mutation ($project: ID!) { setBudget(input: { owner: $project, period: DAY, limitMicros: -1 }) { budget { limitMicros } } }',
    BAD,
    'limitMicros',
  ),
  bad(
    'B155',
    'setLimits',
    'a negative limit',
    'mutation ($project: ID!) { setLimits(input: { owner: $project, limits: { tasksPerMinute: -1 } }) { limits { tasksPerMinute } } }',
    BAD,
    'limits.tasksPerMinute',
  ),
  bad(
    'B156',
    'createProject',
    'a project without a name',
    mutation('createProject(input: { name: "" })', 'project { id }'),
    BAD,
    'name',
  ),
  bad(
    'B156',
    'createApiKey',
    'a key that has expired',
    mutation('createApiKey(input: { name: "x", expiresAt: "2020-01-01T00:00:00Z" })', 'key'),
    BAD,
    'expiresAt',
  ),
  bad(
    'B156',
    'revokeApiKey',
    'an unknown key',
    mutation('revokeApiKey(input: { id: "key_none" })', 'apiKey { id }'),
    NONE,
    'id',
  ),
  bad(
    'B157',
    'pauseProvider',
    'a pause of an unknown provider',
    mutation('pauseProvider(input: { name: "none" })', 'provider { name }'),
    'PROVIDER_UNKNOWN',
    'name',
  ),
  bad(
    'B157',
    'resumeProvider',
    'a resumption of an unknown provider',
    mutation('resumeProvider(input: { name: "none" })', 'provider { name }'),
    'PROVIDER_UNKNOWN',
    'name',
  ),
  bad(
    'B158',
    'adjustCost',
    'a cost of an unknown attempt',
    mutation('adjustCost(input: { attemptId: "att_none", costMicros: 1, note: "x" })', 'attempt { id }'),
    NONE,
    'attemptId',
  ),
  bad(
    'B158',
    'adjustCosts',
    'costs without a note',
    mutation(
      'adjustCosts(input: { lines: [{ attemptId: "att_none", costMicros: 1 }], note: "" })',
      'problems { attemptId }',
    ),
    BAD,
    'note',
  ),
  bad(
    'B158',
    'applyBill',
    'a bill that ends before it begins',
    mutation(
      'applyBill(input: { bill: { provider: "sandbox", source: "x", from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z", lines: [] } })',
      'report { provider }',
    ),
    BAD,
    'to',
  ),
  bad(
    'B158',
    'applyProviderBill',
    'a bill that cannot be loaded',
    mutation(`applyProviderBill(input: { provider: "none", ${PERIOD} })`, 'report { provider }'),
    'PROVIDER_UNKNOWN',
    'provider',
  ),
  bad(
    'B159',
    'resolveAttempt',
    'an unknown attempt',
    mutation('resolveAttempt(input: { id: "att_none", resolution: NOT_CHARGED })', 'attempt { id }'),
    NONE,
    'id',
  ),
  bad(
    'B159',
    'resolveAttempts',
    'decisions about neither ids nor a filter',
    mutation('resolveAttempts(input: { resolution: NOT_CHARGED, note: "x" })', 'problems { attemptId }'),
    BAD,
    'filter',
  ),
  bad(
    'B159',
    'fetchResult',
    'a result of an unknown attempt',
    mutation('fetchResult(input: { id: "att_none" })', 'attempt { id }'),
    NONE,
    'id',
  ),
  bad(
    'B159',
    'markDataFolderLost',
    'an unknown data folder',
    mutation('markDataFolderLost(input: { id: "none" })', 'dataFolder { id }'),
    NONE,
    'id',
  ),
  bad(
    'B160',
    'deleteTask',
    'a deletion of an unknown task',
    mutation('deleteTask(input: { id: "task_none" })', 'deletedTaskId'),
    NONE,
    'id',
  ),
  bad(
    'B160',
    'deleteImage',
    'a deletion of an unknown image',
    mutation('deleteImage(input: { id: "img_none" })', 'deletedImageId'),
    NONE,
    'id',
  ),
  bad(
    'B160',
    'retryTask',
    'a retry of an unknown task',
    mutation('retryTask(input: { id: "task_none" })', 'task { id }'),
    NONE,
    'id',
  ),
  bad(
    'B160',
    'cancelTasks',
    '51 tasks to cancel',
    mutation(`cancelTasks(input: { ids: [${'"x",'.repeat(51)}] })`, 'outcomes { id }'),
    BAD,
    'ids',
  ),
  bad(
    'B160',
    'retryTasks',
    '51 tasks to retry',
    mutation(`retryTasks(input: { ids: [${'"x",'.repeat(51)}] })`, 'outcomes { id }'),
    BAD,
    'ids',
  ),
]

describe('a mutation', () => {
  let server: ServerForRows
  beforeAll(async () => {
    server = await openServerForRows()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it.each(MUTATIONS)('with $wrong is refused ($row, $operation)', async (row) => {
    expect(await server.refusalsOf(row)).toEqual([[row.code, row.field]])
  })
})
