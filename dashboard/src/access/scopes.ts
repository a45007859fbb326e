import type { Scope } from '../api/generated.ts'

export const SCOPES: readonly { scope: Scope; text: string; note: string }[] = [
  { scope: 'READ', text: 'Read', note: 'Tasks, images, providers, webhooks, attempts that need review' },
  { scope: 'GENERATE', text: 'Generate', note: 'Makes images, which costs money; cancels and retries tasks' },
  { scope: 'REPORT', text: 'Report', note: 'Usage, costs and budgets' },
  {
    scope: 'ADMIN',
    text: 'Administer',
    note: 'Keys, budgets, webhooks, decisions about attempts. It can create keys with every scope',
  },
]

/** `Read, generate`. */
export function scopesText(scopes: readonly Scope[]): string {
  const words = SCOPES.flatMap(({ scope, text }) => (scopes.includes(scope) ? [text.toLowerCase()] : []))
  const [first = '', ...others] = words
  return [first.charAt(0).toUpperCase() + first.slice(1), ...others].join(', ')
}
