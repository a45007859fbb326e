// Subscribers with the same document and rights get the same bytes: a field must depend on nothing else.
import type { GraphQLField } from 'graphql'
import type { Context } from './context.ts'

/** For a field that reads more of the caller than its rights. A subscription with it is not shared. */
export const perViewer = { extensions: { perViewer: true } }

export function isPerViewer({ extensions }: Pick<GraphQLField<unknown, Context>, 'extensions'>): boolean {
  return extensions['perViewer'] === true
}
