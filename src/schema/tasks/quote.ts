import type { Quote, QuotedOffer, QuoteRefusal } from '../../engine/tasks/quote.ts'
import { builder, withoutNulls } from '../builder.ts'
import { ErrorCode } from '../error-code.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { QuoteInput, readInput } from './generate-image.ts'
import { namedProvider } from '../named-provider.ts'
import { ProviderRef } from '../provider.ts'
import { requires } from '../scopes.ts'
import { WarningRef } from './task.ts'

const QuotedOfferRef = builder.objectRef<QuotedOffer>('QuotedOffer').implement({
  description: 'A provider that can serve the request, and the cost there.',
  fields: (t) => ({
    provider: t.field({
      type: ProviderRef,
      description: 'The provider that a task would be sent to, if no earlier offer is accepted.',
      resolve: ({ provider }, _, context) => namedProvider(provider, context),
    }),
    ...exposeAll(t, 'String', { model: 'Name of the model, as requested.' }),
    ...exposeNullable(t, 'BigInt', {
      expectedMicros:
        'Likely cost in micro-USD: `auto` counts as 1024x1024 in medium quality. Null without a price.',
      maxMicros: 'Maximum cost in micro-USD, which is held until the cost is known. Null without a price.',
    }),
    ...exposeNullable(t, 'String', { priceVersion: 'Price table of both amounts. Null without a price.' }),
    ...exposeAll(t, [WarningRef], { warnings: 'Differences between the request and what would be sent.' }),
    ...exposeAll(t, 'Boolean', {
      inCooldown: 'Whether it receives no new work now, so that others are preferred.',
    }),
  }),
})

const QuoteRefusalRef = builder.objectRef<QuoteRefusal>('QuoteRefusal').implement({
  description: 'A reason why a provider cannot serve the request.',
  fields: (t) => ({
    provider: t.field({
      type: ProviderRef,
      description: 'The provider that offers the model and cannot serve the request.',
      resolve: ({ provider }, _, context) => namedProvider(provider, context),
    }),
    ...exposeAll(t, ErrorCode, {
      code: 'Code of the error that generateImage would return if no other provider could serve it.',
    }),
    ...exposeAll(t, 'String', {
      field: 'Name of the input field, such as `size`.',
      message: 'Explanation for people: the value, and what is supported. The wording may change.',
    }),
  }),
})

const QuoteRef = builder.objectRef<Quote>('Quote').implement({
  description: 'What a request would cost, by provider.',
  fields: (t) => ({
    ...exposeAll(t, [QuotedOfferRef], {
      offers: 'Providers that can serve it, best first: generateImage chooses the first one.',
    }),
    ...exposeAll(t, [QuoteRefusalRef], { refusals: 'All reasons of the providers that cannot serve it.' }),
  }),
})

builder.queryField('quote', (t) =>
  t.field({
    type: QuoteRef,
    ...requires(
      'READ',
      'Checks a request and returns what it would cost, without storing or sending anything. Budgets are not checked. Errors: ' +
        'MODEL_UNKNOWN, PROVIDER_UNKNOWN.',
    ),
    args: { input: t.arg({ type: QuoteInput, required: true, description: 'Prompt and settings.' }) },
    resolve(_, { input }, { engine, caller }) {
      const { imageCount = 0, mask = false, markup = false, ...given } = withoutNulls(input)
      return engine.quote(caller, { ...readInput(given), imageCount, mask, markup })
    },
  }),
)
