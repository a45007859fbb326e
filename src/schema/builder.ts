import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import type { Context } from './context.ts'

/** The one builder. Types are defined beside the noun they are about, in the other files of this folder. */
export const builder = new SchemaBuilder<{
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: number; Output: number }
    URL: { Input: string; Output: string }
    BigInt: { Input: number; Output: number }
    ImageSize: { Input: string; Output: string }
    Upload: { Input: Blob; Output: never }
  }
}>({
  defaultFieldNullability: false,
  plugins: [ComplexityPlugin],
  // A list that does not say how long it may be counts as ten: see complexity.ts.
  complexity: { defaultComplexity: 1, defaultListMultiplier: 10 },
})

builder.queryType({ description: 'Everything that can be read. Reading costs nothing upstream.' })
builder.mutationType({
  description: 'Everything that can be asked for. Only generateImage and retryTask can cost money.',
})
builder.subscriptionType({
  description:
    'Everything that can be watched, over WebSocket (graphql-transport-ws) and Server-Sent Events alike. Resume with the ' +
    'cursor of the last event seen: nothing is missed and nothing comes twice.',
})
