import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { darkroom } from './darkroom.ts'

async function inspect(place: Place, id: string) {
  const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
  return darkroom(['attempt', id], { cwd: place.dataDir, env })
}

async function attemptOf(gateway: TestGateway, prompt: string): Promise<{ task: string; attempt: string }> {
  const task = await gateway.generate({ prompt, size: '1024x1024' })
  await gateway.ended(task)
  const query = 'query ($id: ID!) { task(id: $id) { attempts { id } } }'
  const data = await gateway.get<{ task: { attempts: { id: string }[] } }>(query, { id: task })
  return { task, attempt: data.task.attempts[0]!.id }
}

describe.each(DATABASES)('darkroom attempt on %s', (database) => {
  it('shows in its first line whether an attempt was charged, and then the evidence', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using gateway = await openGateway({ place })
    const paid = await attemptOf(gateway, 'a fox')
    const refused = await attemptOf(gateway, 'a fox [sandbox:reject]')
    const lost = await attemptOf(gateway, 'a fox [sandbox:vanish]')

    const [ofPaid, ofRefused, ofLost] = await Promise.all(
      [paid, refused, lost].map(({ attempt }) => inspect(place, attempt)),
    )
    expect(ofPaid!.stdout.split('\n')[0]).toBe(`Attempt 1 of ${paid.task} at sandbox: CHARGED`)
    expect(ofPaid!.stdout).toContain('BODY_DONE: the whole response was received')
    expect(ofPaid!.stdout).toMatch(/Usage +9 tokens in, [\d,]+ out/)
    expect(ofPaid!.stdout).toMatch(/Cost +\$0\.\d+, by price list /)
    expect(ofPaid!.stdout).toMatch(/Stored images +1\n/)

    expect(ofRefused!.stdout.split('\n')[0]).toBe(`Attempt 1 of ${refused.task} at sandbox: NOT CHARGED`)
    expect(ofRefused!.stdout).toContain('REJECTED: refused by the provider without a charge')
    expect(ofRefused!.stdout).toMatch(/Cost +none\n/)

    expect(ofLost!.stdout.split('\n')[0]).toBe(`Attempt 1 of ${lost.task} at sandbox: MAY HAVE BEEN CHARGED`)
    expect(ofLost!.stdout).toContain('DISPATCHED: the request was sent; no response was received')
    expect(ofLost!.stdout).toMatch(/Error +OUTCOME_UNKNOWN: /)
    expect(ofLost!.stdout).toContain(
      `resolveAttempt(input: { id: "${lost.attempt}", resolution: NOT_CHARGED })`,
    )
    for (const { exitCode, stdout } of [ofPaid!, ofRefused!, ofLost!]) {
      expect(exitCode).toBe(0)
      expect(stdout.split('\n').length).toBeLessThanOrEqual(30)
    }
  })

  it('shows decisions of operators, and every attempt of a task', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using gateway = await openGateway({ place })
    const { task, attempt } = await attemptOf(gateway, 'a fox [sandbox:vanish]')
    await gateway.get(
      `mutation ($id: ID!) {
        resolveAttempt(input: { id: $id, resolution: NOT_CHARGED, note: "nothing on the bill of May" }) { attempt { id } }
      }`,
      { id: attempt },
    )
    const one = await inspect(place, attempt)
    expect(one.stdout).toMatch(/Decision +\d{4}-\S+Z NOT_CHARGED: "nothing on the bill of May"\n/)
    expect(one.stdout).toContain(': NOT CHARGED\n')
    await gateway.ended(task)
    const all = await inspect(place, task)
    expect(all.stdout.match(/^Attempt \d of/gm)).toEqual(['Attempt 1 of', 'Attempt 2 of'])
  })

  it('shows where a cost comes from', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using gateway = await openGateway({ place })
    const { attempt } = await attemptOf(gateway, 'a fox')
    await gateway.get(
      `mutation ($id: ID!) { adjustCost(input: { attemptId: $id, costMicros: 70000, note: "per bill" }) { attempt { id } } }`,
      { id: attempt },
    )
    const { stdout } = await inspect(place, attempt)
    expect(stdout).toMatch(/Cost +\$0\.07, entered by an operator\n/)
    expect(stdout).toMatch(/Ledger +\S+ POST \$0\.\d+: its cost, by price list\n/)
    expect(stdout).toMatch(/Ledger +\S+ ADJUST \S+: a correction, entered by an operator\n/)
  })

  it('reports an unknown id', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using gateway = await openGateway({ place })
    const { exitCode, stdout, stderr } = await inspect(place, 'att_nowhere')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain('There is no attempt or task att_nowhere in ')
    expect(gateway.url).toContain('127.0.0.1')
  })
})
