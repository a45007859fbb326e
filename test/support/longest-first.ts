import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** They take half a minute or more, the first one three. One that starts last runs alone at the end. */
const LONG = [
  'storm',
  'usage/reconciliation',
  'package/package',
  'faults/database-outages',
  'faults/addresses',
  'faults/processes',
  'access/start',
  'faults/accepted',
  'rest/cuts',
  'story',
  'bills/day',
  'http/upload-load',
  'faults/received-answers',
  'faults/disk',
  'secrets',
  'http/bad-bytes',
  'engine/addresses/addresses',
  'engine/crash',
  'client/kills',
  'providers/storm',
  'scale/viewers-at-shutdown',
].map((name) => `/test/${name}.test.ts`)

/** The place in the list; that of all others is the last. */
function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG.findIndex((end) => moduleId.endsWith(end))
  return rank === -1 ? LONG.length : rank
}

/** Without durations of an earlier run, Vitest starts the largest files first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}
