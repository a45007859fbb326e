import { describe, expect, it, onTestFinished } from 'vitest'
import { ADMIN_KEY, openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { darkroom } from '../cli/darkroom.ts'
import { DATABASES, newPlace } from '../support/database.ts'

describe.each(DATABASES)('darkroom budgets on %s', (database) => {
  it('sets budgets of a project and a key, and shows their spending', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using keyed = await openGatewayWithKeys({ place })
    const project = await keyed.newProject('shop')
    const { id } = await keyed.newKey({ project })
    const task = await keyed.operator(project).generate({ prompt: 'a fox', size: '1024x1024' })
    await keyed.operator(project).ended(task)

    const env = {
      DATA_DIR: place.dataDir,
      DATABASE_URL: place.databaseUrl ?? '',
      DARKROOM_ADMIN_KEY: ADMIN_KEY,
    }
    const run = (...args: string[]) =>
      darkroom(['budgets', ...args, '--url', keyed.url], { cwd: place.dataDir, env })
    const set = await run('set', 'shop', 'month', '250.5')
    expect(set.stderr).toBe('')
    expect(set.stdout).toMatch(/^Set the monthly budget of shop to \$250\.50; \$250\.[34]\d+ remains\.\n$/)
    expect((await run('set', id, 'day', '0')).stdout).toBe(
      `Set the daily budget of ${id} to $0.00; $0.00 remains.\n`,
    )
    const { stdout } = await run('--project', 'shop')
    expect(stdout).toMatch(/shop +month +\$250\.50 +\$0\.\d+ +\$0\.00 +\$250\.[34]\d+\n/)
    expect(stdout).toMatch(/shop +of a test +day +\$0\.00 +\$0\.00 +\$0\.00 +\$0\.00\n/)
    expect((await run('set', 'shop', 'month', 'none')).stdout).toBe('Removed the monthly budget of shop.\n')
  })
})

it('budgets reports invalid arguments before it opens a database', async () => {
  const cases: [args: string[], message: string][] = [
    [['set', 'shop', 'year', '5'], 'The period is "year"; it must be day, month or total.'],
    [
      ['set', 'shop', 'day', '5 EUR'],
      'The amount is "5 EUR"; it must be US dollars such as 250 or 0.5, or none.',
    ],
    [['set', 'shop', 'day', '0.0000001'], 'The amount is "0.0000001"'],
    [
      ['set', 'shop'],
      '`darkroom budgets` takes one of: list, set <project or key> day|month|total <usd>|none.',
    ],
  ]
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await darkroom(['budgets', ...args], { cwd: '/' })
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(message)])
  }
})

it.each(['budgets', 'keys'])('%s refers to its help for an unknown project', async (command) => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const args = command === 'keys' ? ['keys', 'list'] : [command]
  const env = { DATA_DIR: place.dataDir }
  const { exitCode, stderr } = await darkroom([...args, '--project', 'nope'], { cwd: place.dataDir, env })
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`See \`darkroom help ${command}\`.`)])
})
