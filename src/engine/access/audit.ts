import { insertAudit } from '../../db/access/audit.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { newId } from '../../ids.ts'
import type { Decider } from './access.ts'

/** Writes a decision to the audit log. */
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
