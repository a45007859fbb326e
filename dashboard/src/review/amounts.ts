import { parseMoney } from '../format/money.ts'

/** Amounts that can be saved, and how many texts are none. */
export function readAmounts(amounts: ReadonlyMap<string, string>): {
  costs: Map<string, number>
  invalid: number
} {
  const costs = new Map<string, number>()
  for (const [id, text] of amounts) {
    const micros = parseMoney(text)
    if (micros !== undefined) costs.set(id, micros)
  }
  return { costs, invalid: amounts.size - costs.size }
}
