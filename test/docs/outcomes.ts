// Failures in the terms of the pages.
import type { Failure } from '../../src/providers/error.ts'
import { codesIn, type Table } from './tables.ts'

/** The rows of a failure table. */
export function failuresOf(rows: Table['rows'], firstColumn: string) {
  return rows.map((row) => ({
    when: row[firstColumn] ?? '',
    next: row['then'],
    code: codesIn(row['error code'] ?? '')[0],
    charged: codesIn(row['charged'] ?? '')[0],
  }))
}

export function outcomeOf(failure: Failure) {
  return { next: effectOf(failure), code: failure.code, charged: failure.charged }
}

/** What the engine does. */
function effectOf({ kind, charged }: Failure): string {
  if (kind === 'lost') return 'outcome unknown'
  if (charged !== 'NO' || kind === 'rejected') return 'the task fails'
  return kind === 'refused' ? 'next provider' : 'retried'
}
