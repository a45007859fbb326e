import { SCOPES, type Caller, type Limits, type Scope } from '../../domain.ts'

/** An authenticated caller and its rights. */
export interface Access extends Caller {
  scopes: ReadonlySet<Scope>
  /** True with the admin key, and for everyone while no key is required. Allows operations on all projects. */
  operator: boolean
  /** Null where the project or key has no limits of its own. */
  limits: { project: Limits | null; key: Limits | null }
}

/** The rights of an operator, who acts on one project at a time. */
export function operatorOf(projectId: string, limits: Limits | null = null): Access {
  return {
    projectId,
    apiKeyId: null,
    scopes: new Set(SCOPES),
    operator: true,
    limits: { project: limits, key: null },
  }
}

/** A person who changes keys, projects, budgets or attempts. */
export interface Decider {
  /** For the audit log: the id of a key, `operator`, or `command line`. */
  name: string
  /** Null for a decider of all projects. */
  projectId: string | null
}

export function deciderOf({ apiKeyId, operator, projectId }: Access): Decider {
  return { name: apiKeyId ?? 'operator', projectId: operator ? null : projectId }
}
