import type { Usage } from '../domain.ts'
import { builder } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'

interface Details {
  textTokens: number | null
  imageTokens: number | null
}

const TokenDetailsRef = builder.objectRef<Details>('TokenDetails').implement({
  description: 'Token counts by content: text and images have different prices.',
  fields: (t) =>
    exposeNullable(t, 'Int', {
      textTokens: 'Tokens of text. Null if not reported.',
      imageTokens: 'Tokens of images, partial images included. Null if not reported.',
    }),
})

export const UsageRef = builder.objectRef<Usage>('Usage').implement({
  description: 'Tokens consumed at a provider. A count that was not reported is null, never zero.',
  fields: (t) => ({
    ...exposeNullable(t, 'Int', {
      inputTokens: 'Tokens of the prompt and the input images. Null if not reported.',
      outputTokens: 'Tokens of the results and the partial images. Null if not reported.',
      totalTokens: 'Input and output together, as counted by the provider. Null if not reported.',
    }),
    inputTokensDetails: t.field({
      type: TokenDetailsRef,
      nullable: true,
      description: 'Input tokens by content. Null if the provider does not split them.',
      resolve: (usage) => details(usage.inputTextTokens, usage.inputImageTokens),
    }),
    outputTokensDetails: t.field({
      type: TokenDetailsRef,
      nullable: true,
      description: 'Output tokens by content. Null if the provider does not split them.',
      resolve: (usage) => details(usage.outputTextTokens, usage.outputImageTokens),
    }),
    ...exposeAll(t, enums.UsageSource, {
      source: 'Whether the counts are reported by the provider, estimated or unknown.',
    }),
  }),
})

function details(textTokens: number | null, imageTokens: number | null): Details | null {
  return textTokens === null && imageTokens === null ? null : { textTokens, imageTokens }
}
