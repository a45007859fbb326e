import type { Charged } from '../../src/domain.ts'
import type { Failure } from '../../src/providers/error.ts'

const failure = (kind: Failure['kind'], charged: Charged): Failure => ({
  kind,
  code: 'PROVIDER_BROKEN',
  message: 'It went wrong.',
  charged,
})
export const LOST = failure('lost', 'UNKNOWN')
export const REFUSED = failure('busy', 'NO')
export const UNREACHED = failure('unreached', 'NO')
export const BROKEN = failure('broken', 'UNKNOWN')
export const NOT_CHARGED = failure('busy', 'NO')
