// Subscribers with the same document and rights get the same bytes, so a field must not depend on anything else.
import type { GraphQLField } from 'graphql'
import type { Context } from './context.ts'

/** Marks a field that reads more of the caller than its rights. A subscription that selects it is not shared. */
export const perViewer = { extensions: { perViewer: true } }

export function isPerViewer({ extensions }: Pick<GraphQLField<unknown, Context>, 'extensions'>): boolean {
  return extensions['perViewer'] === true
}
