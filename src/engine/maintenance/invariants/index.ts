// What must hold at every moment, whatever happened: `darkroom doctor` asks for it, and so does every test that crashes
// something. The numbers are kept for good; 16 is about upstreams' own books, which are not in the database.
import type { AssetStore } from '../../../assets/store.ts'
import { listIntegrityPages, type IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import * as attempts from './attempts.ts'
import * as books from './ledger.ts'
import * as records from './records.ts'
import * as tasks from './tasks.ts'

export interface Invariant {
  /** `I1` and so on. */
  id: string
  sentence: string
  /** Where it is violated, in words; nothing when it holds. Asked once for each page of tasks. */
  ofPage?: (page: IntegrityPage, store: AssetStore) => Promise<string[]> | string[]
  /** The same, asked once of the whole database. */
  ofAll?: (q: Queries) => Promise<string[]>
}

export const INVARIANTS: readonly Invariant[] = [
  {
    id: 'I1',
    sentence: 'What was sent counts as possibly charged until its outcome is known',
    ofPage: attempts.chargeFollowsState,
  },
  {
    id: 'I2',
    sentence: 'A task counts every possible charge of its attempts',
    ofPage: tasks.countsItsCharges,
  },
  {
    id: 'I3',
    sentence: 'No image was possibly charged more often than was permitted',
    ofPage: tasks.keepsToItsPermits,
  },
  {
    id: 'I4',
    sentence: 'No two attempts are under way for the same image',
    ofPage: tasks.sendsOneAtATime,
  },
  {
    id: 'I5',
    sentence: 'What is held and spent, by period, is the sum of what the attempts hold and cost',
    ofAll: books.spendingIsItsLedger,
  },
  {
    id: 'I6',
    sentence: 'Every attempt has one hold in the ledger, and one end once its cost is known',
    ofPage: books.everyAttemptHasItsLines,
  },
  {
    id: 'I7',
    sentence: 'Events are numbered without a gap, in each task and in each feed',
    ofPage: tasks.numbersItsEvents,
    ofAll: records.feedsAreGapless,
  },
  { id: 'I8', sentence: 'A task that has ended says so once, and last', ofPage: tasks.endsOnce },
  { id: 'I9', sentence: 'A task that succeeded has its images', ofPage: tasks.hasItsImages },
  {
    id: 'I10',
    sentence: 'Every image on record is in the store, byte for byte',
    ofPage: (page, store) => records.filesAreWhole(page, store),
  },
  {
    id: 'I11',
    sentence: 'Whatever its worker let go of is taken care of within a minute',
    ofPage: attempts.leasesAreRenewed,
  },
  {
    id: 'I12',
    sentence: "An upstream's id belongs to one attempt",
    ofAll: records.remoteIdsAreUnique,
  },
  {
    id: 'I13',
    sentence: 'What an upstream called back about is looked at within a minute',
    ofPage: attempts.callbacksAreFollowed,
  },
  { id: 'I14', sentence: 'An idempotency key belongs to one task', ofAll: records.keysAreUnique },
  {
    id: 'I15',
    sentence: 'What an attempt cost is what its lines in the ledger come to',
    ofPage: books.costsAreTheirLines,
  },
  {
    id: 'I17',
    sentence: 'Every outcome in doubt can be listed for review',
    ofPage: attempts.unknownOutcomesAreListed,
  },
  {
    id: 'I18',
    sentence: 'The end of a task is on its way to its callback address, once',
    ofPage: records.endsAreDelivered,
  },
  { id: 'I19', sentence: 'A task stands where its attempts do', ofPage: tasks.standsWithItsAttempts },
  {
    id: 'I20',
    sentence: 'Only what is under way is leased, and only what has ended has an end',
    ofPage: attempts.leaseAndEndFollowState,
  },
  {
    id: 'I21',
    sentence: 'What reports read is the sum of what the attempts tell',
    ofAll: books.usageIsItsAttempts,
  },
]

export interface InvariantFinding extends Pick<Invariant, 'id' | 'sentence'> {
  /** Empty when it holds. */
  violations: string[]
}

/** Checks every invariant on everything there is. `without` leaves some out by their id. */
export async function findViolations(
  q: Queries,
  store: AssetStore,
  { without = [] }: { without?: readonly string[] } = {},
): Promise<InvariantFinding[]> {
  const asked = INVARIANTS.filter(({ id }) => !without.includes(id))
  const found = new Map<string, string[]>(asked.map(({ id }) => [id, []]))
  for await (const page of listIntegrityPages(q)) {
    for (const { id, ofPage } of asked) found.get(id)?.push(...((await ofPage?.(page, store)) ?? []))
  }
  for (const { id, ofAll } of asked) found.get(id)?.push(...((await ofAll?.(q)) ?? []))
  return asked.map(({ id, sentence }) => ({ id, sentence, violations: found.get(id) ?? [] }))
}
