import { describe, expect, it, onTestFinished } from 'vitest'
import { ADMIN_KEY, openKeyed } from '../access/keyed.ts'
import { darkroom } from '../cli/darkroom.ts'
import { DATABASES, newPlace } from '../support/database.ts'

describe.each(DATABASES)('darkroom budgets on %s', (database) => {
  it('sets what a project and a key may spend, and shows what is gone', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using keyed = await openKeyed({ place })
    const project = await keyed.newProject('shop')
    const { id } = await keyed.newKey({ project })
    const task = await keyed.operator(project).generate({ prompt: 'a fox', size: '1024x1024' })
    await keyed.operator(project).ended(task)

    const env = {
      DATA_DIR: place.dataDir,
      DATABASE_URL: place.databaseUrl ?? '',
      DARKROOM_ADMIN_KEY: ADMIN_KEY,
    }
    const run = (...words: string[]) =>
      darkroom(['budgets', ...words, '--url', keyed.url], { cwd: place.dataDir, env })
    const set = await run('set', 'shop', 'month', '250.5')
    expect(set.stderr).toBe('')
    expect(set.stdout).toMatch(/^shop may spend \$250\.50 a month; \$250\.[34]\d+ of it is left\.\n$/)
    expect((await run('set', id, 'day', '0')).stdout).toBe(
      `${id} may spend $0.00 a day; $0.00 of it is left.\n`,
    )
    const { stdout } = await run('--project', 'shop')
    expect(stdout).toMatch(/shop +month +\$250\.50 +\$0\.\d+ +\$0\.00 +\$250\.[34]\d+\n/)
    expect(stdout).toMatch(/shop +of a test +day +\$0\.00 +\$0\.00 +\$0\.00 +\$0\.00\n/)
    expect((await run('set', 'shop', 'month', 'none')).stdout).toBe(
      'shop has no budget for month any more.\n',
    )
  })
})

it('darkroom budgets says what makes no sense before it opens anything', async () => {
  const cases: [words: string[], said: string][] = [
    [['set', 'shop', 'year', '5'], 'The period is "year", but must be day, month or total.'],
    [
      ['set', 'shop', 'day', '5 EUR'],
      'The amount is "5 EUR", but must be dollars such as 250 or 0.5, or none.',
    ],
    [['set', 'shop', 'day', '0.0000001'], 'The amount is "0.0000001"'],
    [['set', 'shop'], '`darkroom budgets` takes nothing, or: set <owner> <period> <usd>|none.'],
  ]
  for (const [words, said] of cases) {
    const { exitCode, stderr } = await darkroom(['budgets', ...words], { cwd: '/' })
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(said)])
  }
})

it.each(['budgets', 'keys'])('darkroom %s with an unknown project names its own help', async (command) => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const words = command === 'keys' ? ['keys', 'list'] : [command]
  const env = { DATA_DIR: place.dataDir }
  const { exitCode, stderr } = await darkroom([...words, '--project', 'nope'], { cwd: place.dataDir, env })
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`See \`darkroom help ${command}\`.`)])
})
