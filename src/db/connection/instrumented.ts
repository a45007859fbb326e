import type { Database } from './database.ts'

/** The same database; `begin` is called when a transaction is asked for, and what it answers when that has ended. */
export function timed(db: Database, begin: () => (result: 'committed' | 'rolled_back') => void): Database {
  return {
    ...db,
    async tx(work) {
      const end = begin()
      try {
        const value = await db.tx(work)
        end('committed')
        return value
      } catch (error) {
        end('rolled_back')
        throw error
      }
    },
  }
}
