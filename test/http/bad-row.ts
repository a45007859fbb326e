// A wrong input of an operation, sent to a gateway with a finished task and a webhook.
import { openGatewayWithKeys } from '../access/gateway-with-keys.ts'

export interface BadRow {
  row: string
  /** Of the root type. */
  operation: string
  wrong: string
  document: string
  code: string
  /** `extensions.field`, where the code has one. */
  field?: string
}

export const bad = (
  row: string,
  operation: string,
  wrong: string,
  document: string,
  code: string,
  field?: string,
): BadRow => ({
  row,
  operation,
  wrong,
  document,
  code,
  ...(field !== undefined && { field }),
})

export const PERIOD = 'from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z"'

export async function openServerForRows() {
  const keyed = await openGatewayWithKeys()
  const operator = keyed.operator()
  const id = await operator.generate({ prompt: 'a fox', size: '1024x1024' })
  await operator.ended(id)
  const { task, project } = await operator.get<{
    task: { images: { id: string }[] }
    project: { id: string }
  }>('query ($id: ID!) { task(id: $id) { images { id } } project { id } }', { id })
  const { createWebhook } = await operator.get<{ createWebhook: { webhook: { id: string } } }>(
    'mutation { createWebhook(input: { url: "https://example.com/hook" }) { webhook { id } } }',
  )
  const variables = { image: task.images[0]!.id, project: project.id, webhook: createWebhook.webhook.id }
  return {
    /** Code and field of each error. */
    async refusalsOf({ document }: BadRow): Promise<unknown[][]> {
      const used = Object.entries(variables).filter(([name]) => document.includes(`$${name}:`))
      const { errors = [] } = await operator.execute(document, Object.fromEntries(used))
      return errors.map(({ extensions }) => [extensions?.['code'], extensions?.['field']])
    },
    [Symbol.asyncDispose]: () => keyed[Symbol.asyncDispose](),
  }
}

export type ServerForRows = Awaited<ReturnType<typeof openServerForRows>>
