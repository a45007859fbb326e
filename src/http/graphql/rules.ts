// Yoga caches validation results by the names of the rules, so no rule may depend on the caller.
import {
  BREAK,
  Kind,
  OperationTypeNode,
  visit,
  type ASTVisitor,
  type DocumentNode,
  type GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'
import { requestError, type RequestErrorCode } from '../refusal.ts'

const MAX_ALIASES = 15

export function maxAliases(context: ValidationContext): ASTVisitor {
  let found = 0
  return {
    Field(node) {
      if (node.alias && ++found === MAX_ALIASES + 1)
        report(
          context,
          'TOO_MANY_ALIASES',
          `The document has too many aliases; the maximum is ${MAX_ALIASES}.`,
        )
    },
  }
}

export function onePaidField(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation !== OperationTypeNode.MUTATION) return
      const paid = paidFields(context, node.selectionSet, new Map())
      if (paid.length > 1)
        report(
          context,
          'TOO_MANY_ROOT_FIELDS',
          `The operation has ${paid.join(' and ')}; the maximum is one field that can cost money. Send one request per field, or use generateImages or retryTasks.`,
        )
    },
  }
}

/** At most two, through fragments and aliases. */
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
      // Ends the recursion of a fragment that contains itself.
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
      context.reportError(introspectionDisabled())
    },
  }
}

export function introspectionDisabled(): GraphQLError {
  return requestError(
    'INTROSPECTION_DISABLED',
    "__schema is not available: introspection is disabled. Send the operator's key, or set INTROSPECTION=on.",
  )
}

const introspecting = new WeakMap<DocumentNode, boolean>()

/** Documents are cached. */
export function hasIntrospection(document: DocumentNode): boolean {
  let found = introspecting.get(document)
  if (found === undefined) {
    found = false
    visit(document, {
      Field({ name }) {
        if (name.value !== '__schema' && name.value !== '__type') return undefined
        found = true
        return BREAK
      },
    })
    introspecting.set(document, found)
  }
  return found
}

function report(context: ValidationContext, code: RequestErrorCode, message: string): void {
  context.reportError(requestError(code, message))
}
