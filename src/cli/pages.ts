import { z } from 'zod'
import type { GraphQLOperation } from './graphql.ts'

/** Arguments of a paged list, declared and selected for `readAllPages`. */
export const PAGE = {
  variables: '$after: String',
  arguments: 'first: 100, after: $after',
  selection: 'pageInfo { hasNextPage endCursor }',
  shape: <Item extends z.ZodType>(item: Item) =>
    z.object({
      nodes: z.array(item),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
}

type Operation<Data> = GraphQLOperation<Data> & { projectId?: string }

interface Page<Item> {
  nodes: Item[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

export async function readAllPages<Data, Item>(
  client: { run<Result>(operation: Operation<Result>): Promise<Result> },
  operation: Operation<Data>,
  pageOf: (data: Data) => Page<Item>,
): Promise<Item[]> {
  const items: Item[] = []
  for (let after: string | null = null, more = true; more;) {
    const variables: Record<string, unknown> = { ...operation.variables, after }
    const { nodes, pageInfo } = pageOf(await client.run({ ...operation, variables }))
    items.push(...nodes)
    more = pageInfo.hasNextPage
    after = pageInfo.endCursor
  }
  return items
}
