import type { TaskInput } from '../../src/engine/input.ts'

/** What a client asks for who sets nothing but a prompt. */
export const PLAIN: TaskInput = {
  prompt: 'a brass kettle on slate',
  model: 'gpt-image-2',
  providers: null,
  images: [],
  mask: null,
  size: 'auto',
  quality: 'AUTO',
  background: 'AUTO',
  moderation: 'AUTO',
  outputFormat: 'PNG',
  outputCompression: null,
  inputFidelity: null,
  style: null,
  n: 1,
  partialImages: 0,
  user: null,
  metadata: [],
  idempotencyKey: null,
  unsupported: 'WARN',
  onUnknownOutcome: 'HOLD',
  maxCharges: 1,
  callbackUrl: null,
}
