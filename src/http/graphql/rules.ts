// Additional validation rules. Yoga caches validation results by the names of the rules, so no rule may depend on the caller.
import {
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'
import { requestError } from '../refusal.ts'

const MAX_ALIASES = 15

/** Limits the aliases of a document, including its fragments. */
export function maxAliases(context: ValidationContext): ASTVisitor {
  let found = 0
  return {
    Field(node) {
      if (node.alias && ++found === MAX_ALIASES + 1)
        context.reportError(
          requestError(
            'TOO_MANY_ALIASES',
            `The document has more than ${MAX_ALIASES} aliases; the maximum is ${MAX_ALIASES}.`,
          ),
        )
    },
  }
}

/** Allows one field that can cost money per operation, so that each task has a response of its own. */
export function onePaidField(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation !== OperationTypeNode.MUTATION) return
      const paid = paidFields(context, node.selectionSet, new Map())
      if (paid.length > 1)
        context.reportError(
          requestError(
            'TOO_MANY_ROOT_FIELDS',
            `The operation has ${paid.join(' and ')}; the maximum is one field that can cost money. Send one request per field.`,
          ),
        )
    },
  }
}

/** The first two paid root fields, through fragments and aliases. `byFragment` caches the fragments. */
function paidFields(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  byFragment: Map<string, string[]>,
): string[] {
  const fields = context.getSchema().getMutationType()?.getFields() ?? {}
  const found = selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) {
      const { value: name } = selection.name
      return fields[name]?.extensions['paid'] === true ? [name] : []
    }
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return paidFields(context, selection.selectionSet, byFragment)
    const { value: name } = selection.name
    const fragment = context.getFragment(name)
    if (fragment && !byFragment.has(name)) {
      // Set first to end the recursion of a fragment that contains itself, which another rule refuses.
      byFragment.set(name, [])
      byFragment.set(name, paidFields(context, fragment.selectionSet, byFragment))
    }
    return byFragment.get(name) ?? []
  })
  return found.slice(0, 2)
}

export function noIntrospection(context: ValidationContext): ASTVisitor {
  let isReported = false
  return {
    Field({ name }) {
      if (isReported || (name.value !== '__schema' && name.value !== '__type')) return
      isReported = true
      context.reportError(
        requestError(
          'INTROSPECTION_DISABLED',
          `${name.value} is not available: introspection is disabled on this server.`,
        ),
      )
    },
  }
}
