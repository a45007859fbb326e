// What happens to the processes of a storm: they are killed, stopped, and their clocks are set.
import { watch } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import { whileNothingSettles, type Evidence } from './evidence.ts'
import { createDeck, type FaultTally } from './faults.ts'
import { TUNING, type Gateways, type Slot } from './gateways.ts'
import { isReceivedAnswer, listReceived, spoolOf } from './settle.ts'

export interface Storm {
  gateways: Gateways
  evidence: Evidence
  random: Random
  tally: FaultTally
}

type ProcessFault = (storm: Storm) => Promise<boolean>

const MINUTE_MS = 60_000
const MAX_STOP_MS = 2.5 * TUNING.leaseMs
const MAX_AWAY_MS = 3000
const MAX_ANSWER_WAIT_MS = 1500

const KILLS: Record<string, ProcessFault> = {
  SIGKILL: (storm) => killOne(storm, 'NOW'),
  // Aims at the short moment in which an answer is received and not yet recorded.
  'SIGKILL as an answer arrives': (storm) => killOne(storm, 'AN_ANSWER_ARRIVES'),
  'SIGKILL with received answers on disk': (storm) => killOne(storm, 'ANSWERS_ARE_HELD'),
}

const HOST_FAULTS: Record<string, ProcessFault> = {
  'second host killed with answers on disk, back within the grace time': (storm) => leave(storm, 'RETURNS'),
  'second host killed with answers on disk, declared lost': (storm) => leave(storm, 'IS_LOST'),
}

const OTHERS: Record<string, ProcessFault> = {
  'SIGSTOP beyond the lease': stopOne,
  'clock set forward by 11 min': (storm) => setClock(storm, 11 * MINUTE_MS),
  'clock set back by 1 h': (storm) => setClock(storm, -60 * MINUTE_MS),
  'clock set right': (storm) => setClock(storm, 0),
}

/** Two series of faults that overlap. Each call injects one. False when it could not. */
export interface ProcessFaults {
  kill(): Promise<boolean>
  disturb(): Promise<boolean>
}

export function createProcessFaults(storm: Storm): ProcessFaults {
  const { random, tally, gateways } = storm
  const kills = { ...KILLS, ...(gateways.otherHost ? HOST_FAULTS : {}) }
  const inject = (deal: () => { kind: string; fault: ProcessFault } | null) => async () => {
    const card = deal()
    if (!card || !(await card.fault(storm))) return false
    tally.add(card.kind)
    return true
  }
  return {
    kill: inject(createDeck(random, tally, kills, 0)),
    disturb: inject(createDeck(random, tally, OTHERS, 0)),
  }
}

/** At the end of a storm. */
export function setClocksRight({ gateways }: Pick<Storm, 'gateways'>): void {
  for (const gateway of gateways.running()) gateway.setClock(0)
}

type KillWhen = 'NOW' | 'AN_ANSWER_ARRIVES' | 'ANSWERS_ARE_HELD'

async function killOne(storm: Storm, when: KillWhen): Promise<boolean> {
  const slot = pickRunning(storm)
  if (!slot) return false
  if (when === 'ANSWERS_ARE_HELD') await killWithAnswers(storm, slot)
  else {
    if (when === 'AN_ANSWER_ARRIVES') await answerReceived(slot)
    await storm.gateways.kill(slot)
  }
  const noteReturn = await noteDeath(storm, slot)
  await storm.gateways.start(slot)
  noteReturn()
  return true
}

async function killWithAnswers(storm: Storm, slot: Slot): Promise<void> {
  await whileNothingSettles(slot.place, async () => {
    await answersHeld(storm, slot)
    await storm.gateways.kill(slot)
  })
}

/** The second host is killed with answers on its disk, and is away for a time. */
async function leave(storm: Storm, end: 'RETURNS' | 'IS_LOST'): Promise<boolean> {
  const slot = storm.gateways.otherHost
  if (!slot?.gateway) return false
  await killWithAnswers(storm, slot)
  const held = await listReceived(slot.place)
  const noteReturn = await noteDeath(storm, slot, { isLost: end === 'IS_LOST' })
  await pause(storm.random.between(2 * TUNING.leaseMs, MAX_AWAY_MS))
  if (end === 'IS_LOST') await declareLost(storm, slot)
  await storm.gateways.start(slot)
  noteReturn()
  return held.length > 0
}

async function declareLost({ gateways, random }: Storm, slot: Slot): Promise<void> {
  const id = await gateways.loseDataFolder(slot)
  for (;;) {
    const { data } = await random
      .pick(gateways.running())
      .execute('mutation ($id: ID!) { markDataFolderLost(input: { id: $id }) { dataFolder { id } } }', { id })
      .catch(() => ({ data: null }))
    if (data) return
    await pause(100)
  }
}

/**
 * The answers on a disk that comes back must become images, and nothing that they answer may be sent again. Returns the
 * function to call when the process runs again.
 */
async function noteDeath(
  { evidence, gateways }: Storm,
  slot: Slot,
  { isLost = false } = {},
): Promise<() => void> {
  const { journal } = evidence
  await evidence.died(slot.process)
  const received = await listReceived(slot.place)
  const says = isLost ? 'on a disk that is lost' : 'on disk'
  journal.ofProcess(slot.process, `is dead, with answers ${says}: ${received.join(', ') || 'none'}`)
  const now = performance.now()
  if (isLost) evidence.lost(received)
  else for (const id of received) evidence.receivedAt.set(id, evidence.receivedAt.get(id) ?? now)
  // Any other process reads the answers of a process in the shared data folder.
  const noteBack = evidence.away(slot === gateways.otherHost ? received : [])
  return () => {
    noteBack()
    journal.ofProcess(slot.process, 'runs')
  }
}

async function stopOne(storm: Storm): Promise<boolean> {
  const slot = pickRunning(storm)
  if (!slot?.gateway) return false
  const { gateway, process } = slot
  const { journal } = storm.evidence
  gateway.signal('SIGSTOP')
  journal.ofProcess(process, 'is stopped')
  await pause(storm.random.between(1.2 * TUNING.leaseMs, MAX_STOP_MS))
  gateway.signal('SIGCONT')
  journal.ofProcess(process, 'continues')
  return true
}

async function setClock(storm: Storm, shiftMs: number): Promise<boolean> {
  const slot = pickRunning(storm)
  if (!slot?.gateway) return false
  slot.gateway.setClock(shiftMs)
  storm.evidence.journal.ofProcess(slot.process, `has its clock ${shiftMs / MINUTE_MS} min ahead`)
  return true
}

function pickRunning({ gateways, random }: Storm): Slot | undefined {
  const running = gateways.slots.filter(({ gateway }) => gateway !== undefined)
  return running.length === 0 ? undefined : random.pick(running)
}

async function answersHeld({ random }: Storm, { place }: Slot): Promise<void> {
  const wanted = Math.ceil(random.between(0, 3))
  const until = performance.now() + MAX_ANSWER_WAIT_MS
  while (performance.now() < until && (await listReceived(place)).length < wanted) await pause(20)
}

async function answerReceived({ place }: Slot): Promise<void> {
  const changes = watch(spoolOf(place), { signal: AbortSignal.timeout(1000) })
  try {
    for await (const { filename } of changes) if (isReceivedAnswer(filename)) return
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error
  }
}
