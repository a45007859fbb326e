import { SCOPES, type Caller, type Limits, type Scope } from '../domain.ts'

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
