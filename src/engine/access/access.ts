import { SCOPES, type Caller, type Limits, type Scope } from '../../domain.ts'

/** Who asks, and what they may. */
export interface Access extends Caller {
  scopes: ReadonlySet<Scope>
  /** True for whoever runs this deployment: the admin key, or anybody while it is open. May do what concerns all projects. */
  operator: boolean
  /** What the project and the key allow at a time; null where there are no limits of their own. */
  limits: { project: Limits | null; key: Limits | null }
}

/** The rights of an operator, who acts on behalf of one project at a time. */
export function operatorOf(projectId: string, limits: Limits | null = null): Access {
  return {
    projectId,
    apiKeyId: null,
    scopes: new Set(SCOPES),
    operator: true,
    limits: { project: limits, key: null },
  }
}

/** How a decision of theirs goes on record, and for which project: null for all of them. */
export function deciderOf({ apiKeyId, operator, projectId }: Access): Decider {
  return { name: apiKeyId ?? 'operator', projectId: operator ? null : projectId }
}

/** Who decides about keys and projects. */
export interface Decider {
  /** What the record names: the id of a key, `operator`, or `command line`. */
  name: string
  /** Null may decide for every project. */
  projectId: string | null
}
