import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { DEFAULT_POLICIES, DEFAULT_SETTINGS, type Caller } from '../../src/domain.ts'
import type { TaskInput } from '../../src/engine/tasks/input.ts'

/** The input of a client that sets only a prompt. */
export const PLAIN: TaskInput = {
  ...DEFAULT_SETTINGS,
  ...DEFAULT_POLICIES,
  prompt: 'a brass kettle on slate',
  providers: null,
  images: [],
  mask: null,
  markup: null,
  metadata: [],
  idempotencyKey: null,
  callbackUrl: null,
}

/** A caller without a key. */
export const ANONYMOUS: Caller = { projectId: DEFAULT_PROJECT, apiKeyId: null }
