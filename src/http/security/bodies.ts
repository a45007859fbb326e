import { rm } from 'node:fs/promises'
import { toUnavailable } from '../../assets/disk-error.ts'
import type { AssetStore } from '../../assets/store.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import { createBodyBudget, UPLOAD_LIMITS, type BodyBudget } from './body-budget.ts'
import { lengthOf, MAX_JSON_BYTES, MAX_UPLOAD_BYTES, readBody } from './body.ts'
import { receiveForm, type Form, type FormOptions } from './form.ts'

/** A request's files and its part of a budget are disposed of with `held`. */
export interface Bodies {
  /** JSON, in memory. Undefined for a body over MAX_JSON_BYTES. */
  read(request: Request, held: AsyncDisposableStack): Promise<Buffer<ArrayBuffer> | undefined>
  receiveUpload(request: Request, held: AsyncDisposableStack, options?: FormOptions): Promise<Form>
}

export function createBodies({
  memory,
  store,
  clock,
  log,
  uploads = createBodyBudget(UPLOAD_LIMITS, clock),
}: {
  memory: BodyBudget
  /** For files in the spool. */
  uploads?: BodyBudget
  store: Pick<AssetStore, 'newInput' | 'checkFreeSpace'>
  clock: Clock
  log: Logger
}): Bodies {
  function newFile(held: AsyncDisposableStack): string {
    const file = store.newInput()
    held.defer(async () => {
      await rm(file, { force: true }).catch((error: unknown) =>
        log.warn({ file, err: error }, 'deleting an uploaded file failed; the next start deletes it'),
      )
    })
    return file
  }

  return {
    read(request, held) {
      const reserve = async (bytes: number) => held.use(await memory.reserve(bytes, request.signal))
      return readBody(request, { maxBytes: MAX_JSON_BYTES, clock, reserve })
    },

    async receiveUpload(request, held, options) {
      const maxBytes = lengthOf(request) ?? MAX_UPLOAD_BYTES
      const reservation = held.use(await uploads.reserve(maxBytes, request.signal))
      await store.checkFreeSpace(uploads.reservedBytes()).catch((error: unknown) => {
        throw toUnavailable(error)
      })
      const { form, byteSize } = await receiveForm(request, {
        newFile: () => newFile(held),
        clock,
        ...options,
      })
      reservation.shrink(byteSize)
      return form
    },
  }
}
