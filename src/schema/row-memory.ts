import type { MaybePromise } from '../maybe-promise.ts'
import type { Loaders, RowLoader } from './context.ts'

export interface RowMemory {
  loaders: Loaders
  /** The next reads are from the database. */
  forget(): void
}

/** Loads each row once until `forget`. Once it is there, it needs no promise. */
export function createRowMemory(loaders: Loaders): RowMemory {
  const memories: { forget(): void }[] = []

  function remembering<Row>(loader: RowLoader<Row>): RowLoader<Row> {
    let rows = new Map<string, MaybePromise<Row[]>>()
    memories.push({ forget: () => (rows = new Map()) })
    return {
      load(id) {
        const known = rows.get(id)
        if (known) return known
        const current = rows
        const loading = loader.load(id)
        current.set(id, loading)
        if (loading instanceof Promise)
          loading.then(
            (loaded) => current.set(id, loaded),
            () => current.delete(id),
          )
        return loading
      },
    }
  }

  return {
    loaders: {
      attempts: remembering(loaders.attempts),
      assets: remembering(loaders.assets),
      places: remembering(loaders.places),
      deliveries: remembering(loaders.deliveries),
      tries: remembering(loaders.tries),
      lines: remembering(loaders.lines),
      addresses: remembering(loaders.addresses),
    },
    forget() {
      for (const memory of memories) memory.forget()
    },
  }
}
