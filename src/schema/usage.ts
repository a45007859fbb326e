import type { Usage } from '../domain.ts'
import { builder } from './builder.ts'
import { UsageSourceEnum } from './enums.ts'

interface Details {
  textTokens: number | null
  imageTokens: number | null
}

const TokenDetails = builder.objectRef<Details>('TokenDetails').implement({
  description: 'Tokens by what they stand for: text and images have different prices.',
  fields: (t) => ({
    textTokens: t.exposeInt('textTokens', {
      nullable: true,
      description: 'Tokens of text; null when not reported.',
    }),
    imageTokens: t.exposeInt('imageTokens', {
      nullable: true,
      description: 'Tokens of images, previews included; null when not reported.',
    }),
  }),
})

export const UsageRef = builder.objectRef<Usage>('Usage').implement({
  description: 'Tokens consumed upstream. A count that nobody told us is null, never zero.',
  fields: (t) => ({
    inputTokens: t.exposeInt('inputTokens', {
      nullable: true,
      description: 'Tokens read: prompt and input images.',
    }),
    outputTokens: t.exposeInt('outputTokens', {
      nullable: true,
      description: 'Tokens painted: results and previews.',
    }),
    totalTokens: t.exposeInt('totalTokens', {
      nullable: true,
      description: 'Both together, as the provider counted.',
    }),
    inputTokensDetails: t.field({
      type: TokenDetails,
      nullable: true,
      description: 'The input by class; null when the provider did not split it.',
      resolve: (usage) => details(usage.inputTextTokens, usage.inputImageTokens),
    }),
    outputTokensDetails: t.field({
      type: TokenDetails,
      nullable: true,
      description: 'The output by class; null when it could not be told apart.',
      resolve: (usage) => details(usage.outputTextTokens, usage.outputImageTokens),
    }),
    source: t.expose('source', {
      type: UsageSourceEnum,
      description: 'Whether these are reported, estimated or unknown.',
    }),
  }),
})

function details(textTokens: number | null, imageTokens: number | null): Details | null {
  return textTokens === null && imageTokens === null ? null : { textTokens, imageTokens }
}
