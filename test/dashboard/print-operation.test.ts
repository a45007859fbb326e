import { Kind, parse, print, visit } from 'graphql'
import { expect, it } from 'vitest'
import * as generated from '../../dashboard/src/api/generated.ts'
import { printOperation } from '../../dashboard/src/api/print-operation.ts'

const documents = Object.entries(generated as Record<string, unknown>).filter(
  (entry): entry is [string, string] => typeof entry[1] === 'string',
)

it.each(documents)('prints %s with line breaks and the same meaning', (_, compact) => {
  const text = printOperation(compact)
  expect(print(parse(text))).toBe(print(parse(compact)))
  expect(text.split('\n').length).toBeGreaterThan(3)
})

it('prints variables as defaults: enums as names, texts quoted', () => {
  const variables = {
    from: '2026-11-01T00:00:00Z',
    groupBy: ['DAY', 'MODEL'],
    filter: { models: ['GPT "2"'], statuses: ['FAILED'], users: undefined },
  }
  const document = parse(printOperation(generated.WatchUsage, variables))
  const values: Record<string, string> = {}
  visit(document, {
    [Kind.VARIABLE_DEFINITION]({ variable, defaultValue }) {
      if (defaultValue) values[variable.name.value] = print(defaultValue)
    },
  })
  expect(values).toEqual({
    from: '"2026-11-01T00:00:00Z"',
    groupBy: '[DAY, MODEL]',
    filter: String.raw`{ models: ["GPT \"2\""], statuses: [FAILED] }`,
  })
})
