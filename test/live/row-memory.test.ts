import { expect, it } from 'vitest'
import type { Loaders } from '../../src/schema/context.ts'
import { createRowMemory } from '../../src/schema/row-memory.ts'

type Attempts = Awaited<ReturnType<Loaders['attempts']['load']>>

/** Loads that the test settles, by the order of their start. */
function openMemory() {
  const loads: PromiseWithResolvers<Attempts>[] = []
  const loader = {
    load() {
      const load = Promise.withResolvers<Attempts>()
      loads.push(load)
      return load.promise
    },
  }
  const names = ['attempts', 'assets', 'places', 'deliveries', 'tries', 'lines', 'addresses']
  const memory = createRowMemory(
    Object.fromEntries(names.map((name) => [name, loader])) as unknown as Loaders,
  )
  return { loads, memory, load: () => memory.loaders.attempts.load('task_1') }
}

it('loads rows once, and then returns them without a promise', async () => {
  const { loads, load } = openMemory()
  const first = load()
  expect(load()).toBe(first)
  const rows: Attempts = []
  loads[0]!.resolve(rows)
  expect(await first).toBe(rows)
  expect(load()).toBe(rows)
  expect(loads.length).toBe(1)
})

it('loads rows again after it forgot them, also when an earlier load ends later', async () => {
  const { loads, memory, load } = openMemory()
  const early = load()
  memory.forget()
  const late = load()
  const [old, fresh]: [Attempts, Attempts] = [[], []]
  loads[1]!.resolve(fresh)
  await late
  loads[0]!.resolve(old)
  await early
  expect(load()).toBe(fresh)
  expect(loads.length).toBe(2)
})

it('loads rows again after a failure', async () => {
  const { loads, load } = openMemory()
  const failing = load()
  loads[0]!.reject(new Error('away'))
  await expect(failing).rejects.toThrow('away')
  void load()
  expect(loads.length).toBe(2)
})
