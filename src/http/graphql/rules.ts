// Rules of our own beside those of the specification. Yoga remembers what a document broke by the names of the rules, so
// none of them may depend on who asks.
import {
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'
import { requestError } from '../refusal.ts'

/** Far more than a page needs, far fewer than it takes to ask for one thing a thousand times. */
const MOST_ALIASES = 15

/** At most 15 aliases in a document, fragments included. */
export function FewAliases(context: ValidationContext): ASTVisitor {
  let found = 0
  return {
    Field(node) {
      if (node.alias && ++found === MOST_ALIASES + 1)
        context.reportError(
          requestError('TOO_MANY_ALIASES', `There are more than ${MOST_ALIASES} aliases in the document.`),
        )
    },
  }
}

/** At most one field that can cost money in an operation: two tasks are two requests, each with its own answer. */
export function OnePaidField(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation !== OperationTypeNode.MUTATION) return
      const paid = paidFields(context, node.selectionSet, new Map())
      if (paid.length > 1)
        context.reportError(
          requestError(
            'TOO_MANY_ROOT_FIELDS',
            `The operation asks for ${paid.join(' and ')}: only one field that can cost money is possible in each.`,
          ),
        )
    },
  }
}

/** The first two at the root, through fragments and under whatever alias. `known` are those of the fragments met. */
function paidFields(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  known: Map<string, string[]>,
): string[] {
  const fields = context.getSchema().getMutationType()?.getFields() ?? {}
  const found = selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) {
      const { value: name } = selection.name
      return fields[name]?.extensions['paid'] === true ? [name] : []
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) return paidFields(context, selection.selectionSet, known)
    const { value: name } = selection.name
    const fragment = context.getFragment(name)
    if (fragment && !known.has(name)) {
      // Before it is looked into: one that contains itself is refused by another rule, and must not be followed for ever.
      known.set(name, [])
      known.set(name, paidFields(context, fragment.selectionSet, known))
    }
    return known.get(name) ?? []
  })
  return found.slice(0, 2)
}

/** The schema is not told: for servers that serve others than their own machine. */
export function NoIntrospection(context: ValidationContext): ASTVisitor {
  let told = false
  return {
    Field({ name }) {
      if (told || (name.value !== '__schema' && name.value !== '__type')) return
      told = true
      context.reportError(
        requestError(
          'INTROSPECTION_DISABLED',
          `${name.value} is not answered here: the operator has not switched introspection on.`,
        ),
      )
    },
  }
}
