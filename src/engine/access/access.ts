import { findAnyKey, findKey } from '../../db/access/api-keys.ts'
import { insertAudit } from '../../db/access/audit.ts'
import { findProject } from '../../db/access/projects.ts'
import type { Queries, Transaction } from '../../db/connection/database.ts'
import { SCOPES, type Caller, type Limits, type Scope } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'

export interface Access extends Caller {
  scopes: ReadonlySet<Scope>
  /** With the admin key, or while no key is required. */
  operator: boolean
  /** Null: no own limits. */
  limits: { project: Limits | null; key: Limits | null }
}

/** On one project at a time. */
export function operatorOf(projectId: string, limits: Limits | null = null): Access {
  return {
    projectId,
    apiKeyId: null,
    scopes: new Set(SCOPES),
    operator: true,
    limits: { project: limits, key: null },
  }
}

export interface Decider {
  /** Key id, `operator` or `command line`. */
  name: string
  /** Null: all projects. */
  projectId: string | null
}

export function deciderOf({
  apiKeyId,
  operator,
  projectId,
}: Pick<Access, 'apiKeyId' | 'operator' | 'projectId'>): Decider {
  return { name: apiKeyId ?? 'operator', projectId: operator ? null : projectId }
}

export async function recordDecision(
  q: Transaction,
  by: Decider,
  decision: {
    projectId: string
    at: number
    action: string
    subject: string
    detail: Record<string, string | null>
  },
): Promise<void> {
  const detail = { ...decision.detail, by: by.name }
  await insertAudit(q, { id: newId('aud', decision.at), ...decision, detail })
}

export interface Owner {
  kind: 'PROJECT' | 'KEY'
  id: string
  projectId: string
  /** Null without any. */
  limits: Limits | null
}

/** Operators decide about all owners, others about their project's keys. Throws FORBIDDEN and NOT_FOUND. */
export async function getOwner(q: Queries, by: Decider, id: string): Promise<Owner> {
  if (id.startsWith('prj_')) {
    if (by.projectId !== null)
      throw new GatewayError(
        'FORBIDDEN',
        'Only operators set the budgets and limits of a project. You may set those of its keys.',
        { field: 'owner' },
      )
    const project = await findProject(q, id)
    if (project) return { kind: 'PROJECT', id, projectId: id, limits: project.limits }
  } else {
    const key = by.projectId === null ? await findAnyKey(q, id) : await findKey(q, by.projectId, id)
    if (key) return { kind: 'KEY', id, projectId: key.projectId, limits: key.limits }
  }
  throw new GatewayError(
    'NOT_FOUND',
    `There is no project or key ${JSON.stringify(id.slice(0, 60))}. Their ids begin with prj_ and key_.`,
    { field: 'owner' },
  )
}
