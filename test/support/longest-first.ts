import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** They take a minute. One that starts last runs alone at the end. */
const LONG = [
  'faults/database-outages',
  'faults/addresses',
  'faults/processes',
  'faults/accepted',
  'usage/reconciliation',
  'secrets',
  'package/package',
  'providers/storm',
  'bills/day',
  'engine/crash',
].map((name) => `/test/${name}.test.ts`)

const isLong = ({ moduleId }: TestSpecification) => LONG.some((end) => moduleId.endsWith(end))

/** Without durations of an earlier run, Vitest starts the largest files first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
