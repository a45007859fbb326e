import { z } from 'zod'
import { DEFAULT_INPUT } from '../../engine/tasks/input.ts'
import { readSettings, SETTINGS } from './arguments.ts'
import { COST, toCost } from './task-result.ts'
import { defineTool } from './tool.ts'

export const estimateCost = defineTool({
  name: 'estimate_cost',
  description:
    'Returns what a generate_image or edit_image call would cost in US dollars, and where it would be sent, without sending ' +
    'anything. Costs nothing. Budgets are not checked: get_usage shows what is left of them.',
  scope: 'READ',
  annotations: { title: 'Estimate cost', readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    prompt: z.string().default('an image').describe('Its length changes the cost a little.'),
    ...SETTINGS,
    image_count: z
      .int()
      .default(0)
      .describe('Number of input images, 0 to 16. With at least one it is an edit.'),
    mask: z.boolean().default(false).describe('Whether there is a mask.'),
    markup: z.boolean().default(false).describe('Whether there is markup.'),
  }),
  output: z.object({
    offers: z
      .array(
        z.object({
          provider: z.string(),
          model: z.string(),
          expected: COST.describe('Likely cost.'),
          maximum: COST.describe('Held of the budget until the cost is known.'),
          warnings: z.array(z.string()),
          in_cooldown: z.boolean().describe('Whether others are preferred now, after failures.'),
        }),
      )
      .describe('Best first: generate_image uses the first one.'),
    refusals: z
      .array(z.object({ provider: z.string(), argument: z.string(), message: z.string() }))
      .describe('Why the other providers cannot serve it.'),
  }),
  async run({ prompt, image_count: imageCount, mask, markup, ...settings }, { context: { engine, caller } }) {
    const input = { ...DEFAULT_INPUT, prompt, ...readSettings(settings), imageCount, mask, markup }
    const quoted = await engine.quote(caller, input)
    const offers = quoted.offers.map((offer) => ({
      provider: offer.provider,
      model: offer.model,
      expected: toCost(offer.expectedMicros),
      maximum: toCost(offer.maxMicros),
      warnings: offer.warnings.map(({ message }) => message),
      in_cooldown: offer.inCooldown,
    }))
    const refusals = quoted.refusals.map(({ provider, field, message }) => ({
      provider,
      argument: field,
      message,
    }))
    const lines = [
      ...offers.map(
        ({ provider, model, expected, maximum, warnings }) =>
          `${model} at ${provider}: about ${expected.text}, at most ${maximum.text}.` +
          warnings.map((warning) => ` Warning: ${warning}`).join(''),
      ),
      ...refusals.map(({ provider, message }) => `Not at ${provider}: ${message}`),
    ]
    return { text: lines.join('\n'), data: { offers, refusals } }
  },
})
