// `darkroom tasks`, `task`, `cancel` and `open` against one gateway with keys.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { darkroomHere, recordingScreen } from './in-process.ts'

let keyed: GatewayWithKeys
let cwd: string
let shopKey: string
/** In the default project, oldest first. */
const ids: Record<'fox' | 'owl' | 'refused', string> = { fox: '', owl: '', refused: '' }

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-tasks-'))
  keyed = await openGatewayWithKeys({
    providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0, concurrency: 16 }],
  })
  const client = keyed.operator()
  const create = async (input: Record<string, unknown>) => {
    const id = await client.generate({ size: '1024x1024', ...input })
    await client.ended(id)
    return id
  }
  ids.fox = await create({
    prompt: 'a red fox\u0007 in the snow',
    metadata: [{ key: 'team', value: 'shop' }],
  })
  ids.owl = await create({ prompt: 'an owl', quality: 'HIGH' })
  ids.refused = await create({ prompt: 'a wolf [sandbox:moderation]' })
  const project = await keyed.newProject('shop')
  shopKey = (await keyed.newKey({ project, scopes: ['READ', 'GENERATE'] })).key
})
afterAll(async () => {
  await keyed[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true })
})

type Options = Partial<Parameters<typeof darkroomHere>[1]> & { url?: string }

/** As the operator, unless `env` names a key. */
const darkroom = (args: string[], { url = keyed.url, env, ...rest }: Options = {}) =>
  darkroomHere([...args, '--url', url], { cwd, env: { DARKROOM_ADMIN_KEY: ADMIN_KEY, ...env }, ...rest })

const LISTED = z.object({ tasks: z.array(z.object({ id: z.string() })), next: z.string().nullable() })

async function listed(...options: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await darkroom(['tasks', '--json', ...options])
  expect([exitCode, stderr]).toEqual([0, ''])
  return LISTED.parse(JSON.parse(stdout)).tasks.map(({ id }) => id)
}

describe('darkroom tasks', () => {
  it('prints a table with status, duration, cost and the start of the prompt, without control characters', async () => {
    const { exitCode, stdout } = await darkroom(['tasks'])
    expect(exitCode).toBe(0)
    const [head, refused, owl, fox, ...rest] = stdout.split('\n')
    expect(head).toMatch(/^ {2}ID +Status +Created \(UTC\) +Took +Model +Provider +Cost +Prompt$/)
    expect(fox).toMatch(
      new RegExp(
        `^ {2}${ids.fox} +succeeded +20\\S+ \\S+ +\\d.*s +gpt-image-2 +sandbox +\\$0\\.\\d+ +a red fox +in the snow$`,
      ),
    )
    expect(owl).toContain(`${ids.owl}  succeeded`)
    expect(refused).toMatch(new RegExp(`${ids.refused} +failed .* \\$0\\.00 +a wolf`))
    expect(rest).toEqual([''])
  })

  it('cuts the prompt to the width of the terminal', async () => {
    const out = recordingScreen({ columns: 130, rows: 40 })
    await darkroom(['tasks'], { out })
    const lines = out.written().split('\n')
    expect(lines.every((line) => line.length <= 130)).toBe(true)
    expect(lines.join('\n')).toContain('a wolf [sandbox:moder…')
  })

  it.each<[options: string[], names: (keyof typeof ids)[]]>([
    [['--status', 'failed'], ['refused']],
    [
      ['--status', 'failed,succeeded', '--oldest'],
      ['fox', 'owl', 'refused'],
    ],
    [['--search', 'fox snow'], ['fox']],
    [['--label', 'team=shop'], ['fox']],
    [
      ['--charged', 'yes', '--model', 'gpt-image-2,other'],
      ['owl', 'fox'],
    ],
    [['--provider', 'nowhere'], []],
    [
      ['--from', '1h'],
      ['refused', 'owl', 'fox'],
    ],
    [['--to', '2026-01-01'], []],
  ])('filters by %s', async (options, names) => {
    expect(await listed(...options)).toEqual(names.map((name) => ids[name]))
  })

  it('continues after the cursor of a page, and reads all pages', async () => {
    const first = LISTED.parse(JSON.parse((await darkroom(['tasks', '--limit', '2', '--json'])).stdout))
    expect(first.tasks).toHaveLength(2)
    expect(await listed('--limit', '2', '--after', first.next ?? '')).toEqual([ids.fox])
    expect(await listed('--limit', '2', '--all')).toEqual([ids.refused, ids.owl, ids.fox])
    const { stdout } = await darkroom(['tasks', '--limit', '2'])
    expect(stdout).toContain(`More tasks: add --after ${first.next}\n`)
  })

  it('shows the project of the API key, and of operators the named one', async () => {
    const env = { DARKROOM_API_KEY: shopKey }
    expect((await darkroom(['tasks'], { env })).stdout).toBe('There are no such tasks.\n')
    expect((await darkroom(['tasks', '--project', 'shop'])).stdout).toBe('There are no such tasks.\n')
    const other = await darkroom(['tasks', '--project', 'default'], { env })
    expect(other).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('The API key is for the project "shop"') as unknown,
    })
  })

  it.each([
    [['--status', 'done'], '--status contains "done"; it must be of queued, running'],
    [['--label', 'team'], '--label contains "team"; it must be <key>=<value>.'],
    [['--limit', '101'], '--limit is "101"; it must be a whole number from 1 to 100.'],
    [['--from', 'yesterday'], '--from is "yesterday"; it must be a day such as'],
  ])('refuses %s with exit code 64', async (options, message) => {
    const { exitCode, stderr } = await darkroom(['tasks', ...options])
    expect([exitCode, stderr.split('\n')[0]]).toEqual([64, expect.stringContaining(message)])
  })

  it.each(['tasks', 'demo'])('says which keys %s accepts when the server refuses it', async (command) => {
    const { exitCode, stderr } = await darkroom([command], { env: { DARKROOM_ADMIN_KEY: '' } })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Set DARKROOM_API_KEY to an API key of this server, or DARKROOM_ADMIN_KEY')
  })
})

describe('darkroom task', () => {
  it('shows one task of any project to the operator, and none of another project to a key', async () => {
    const { exitCode, stdout } = await darkroom(['task', ids.owl])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`  ${ids.owl}  succeeded\n  an owl\n`)
    expect(stdout).toMatch(/ {2}Settings +size 1024x1024, quality high, 1 image\n/)
    expect(stdout).toMatch(/ {2}Cost +\$0\.\d+\n/)
    expect(stdout).toMatch(/ {2}att_\w+ +sandbox +succeeded +yes +\$0\.\d+\n/)
    expect(stdout).toMatch(/ {2}1024×1024 +http:\S+\/assets\/img_\S+\n/)
    const hidden = await darkroom(['task', ids.owl], { env: { DARKROOM_API_KEY: shopKey } })
    expect(hidden).toEqual({ exitCode: 1, stdout: '', stderr: `There is no task ${ids.owl}.\n` })
  })

  it('--watch prints the progress, and exits with 0 only for a success', async () => {
    const watched = await darkroom(['task', ids.fox, '--watch'])
    expect(watched.exitCode).toBe(0)
    expect(watched.stdout).toContain(' 100%  done\n')
    const refused = await darkroom(['task', ids.refused, '--watch'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stdout).toMatch(/ {2}Error +.*\(MODERATION_BLOCKED\)\n/)
  })

  it('--watch resumes after lost connections, with every event once and in order', async () => {
    const proxy = await startTcpProxy(keyed.url)
    try {
      const id = await keyed.operator().generate({ prompt: 'fog [sandbox:duration=1500]', partialImages: 3 })
      const out = recordingScreen()
      const watching = darkroom(['task', id, '--watch', '--json'], { url: proxy.url, out })
      const count = () => out.written().split('\n').length - 1
      for (const events of [2, 4]) {
        await expect.poll(count).toBeGreaterThanOrEqual(events)
        proxy.reset()
        proxy.heal()
      }
      const { exitCode, stdout, stderr } = await watching
      expect(exitCode).toBe(0)
      expect(stderr).toContain('Connection lost; reconnecting.\n')
      const lines = stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line))
      const events = lines.flatMap((line) => WATCHED.safeParse(line).data?.event ?? [])
      const log = events.filter(({ __typename }) => __typename !== 'TaskSnapshot').map(({ cursor }) => cursor)
      const [snapshot] = events
      const all = await cursorsOf(id)
      expect(log).toEqual(all.slice(all.indexOf(snapshot?.cursor ?? '') + 1))
      expect(log.length).toBeGreaterThan(8)
      expect(lines.at(-1)).toMatchObject({ task: { id, status: 'SUCCEEDED' } })
    } finally {
      await proxy.close()
    }
  })

  it('--watch in a terminal draws a bar with the time that similar tasks took', async () => {
    const client = keyed.operator()
    const input = { prompt: 'mist [sandbox:duration=400]', quality: 'LOW', size: '1024x1024' }
    await Promise.all(
      Array.from({ length: 5 }, async () => client.ended(await client.generate({ ...input, n: 2 }))),
    )
    const id = await client.generate({ ...input, prompt: 'mist [sandbox:duration=1200]', n: 2 })
    const out = recordingScreen({ columns: 100, rows: 12 })
    const { exitCode } = await darkroom(['task', id, '--watch'], { out, env: { TERM: 'xterm-kitty' } })
    expect(exitCode).toBe(0)
    expect(out.written()).toMatch(/usually [\d.]+ m?s, measured for 5 similar tasks/)
    expect(out.written()).toMatch(/running, about \d+ s left/)
    // The last image, in the graphics of this terminal.
    expect(out.written()).toContain('\x1b_Ga=T,f=100,q=2,')
  })
})

const WATCHED = z.object({ event: z.object({ __typename: z.string(), cursor: z.string() }) })

async function cursorsOf(id: string): Promise<string[]> {
  const { task } = await keyed
    .operator()
    .get<{ task: { events: { nodes: { cursor: string }[] } } }>(
      'query ($id: ID!) { task(id: $id) { events { nodes { cursor } } } }',
      { id },
    )
  return task.events.nodes.map(({ cursor }) => cursor)
}

describe('darkroom cancel', () => {
  it('cancels what it can, says what was charged, and exits with 1 if anything was refused', async () => {
    const client = keyed.operator()
    const running = await client.generate({ prompt: 'slow [sandbox:stall]' })
    await expect.poll(async () => (await darkroom(['task', running])).stdout).toContain('running')
    const { exitCode, stdout, stderr } = await darkroom(['cancel', running, ids.owl])
    expect(exitCode).toBe(1)
    expect(stdout).toContain(`${running}: cancellation requested. Its provider has started`)
    expect(stderr).toContain(ids.owl)
    const again = await darkroom(['cancel', running, '--json'])
    expect(again.exitCode).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({
      canceled: [{ id: running, cancelRequested: true }],
      refused: [],
    })
    expect((await darkroom(['cancel'])).exitCode).toBe(64)
  })
})

describe('darkroom open', () => {
  it('prints the URL of an image, which opens', async () => {
    const { exitCode, stdout } = await darkroom(['open', ids.fox, '--print'])
    expect(exitCode).toBe(0)
    const response = await fetch(stdout.trim())
    expect(response.headers.get('content-type')).toBe('image/png')
    const [image] = /img_\w+/.exec(stdout) ?? ['']
    expect((await darkroom(['open', image, '--print', '--json'])).stdout).toContain('"opened": false')
  })

  it('says why there is nothing to open', async () => {
    const cases = [
      [ids.refused, `Task ${ids.refused} is failed and has no image.`],
      ['task_none', 'There is no task or image task_none.'],
    ]
    for (const [id = '', message] of cases)
      expect(await darkroom(['open', id])).toEqual({ exitCode: 1, stdout: '', stderr: `${message}\n` })
    const { stderr } = await darkroom(['open', ids.fox, '--number', '2'])
    expect(stderr).toBe(`Task ${ids.fox} has 1 images; there is no number 2.\n`)
  })

  it.skipIf(process.platform !== 'linux')(
    'starts the viewer of the system, and reports a missing one',
    async () => {
      const viewer = join(cwd, 'xdg-open')
      await writeFile(viewer, `#!/bin/sh\necho "$@" > ${join(cwd, 'opened')}\n`)
      await chmod(viewer, 0o755)
      const { exitCode, stdout } = await darkroom(['open', ids.fox], {
        env: { PATH: `${cwd}${delimiter}${process.env['PATH']}` },
      })
      expect([exitCode, stdout]).toEqual([0, await readFile(join(cwd, 'opened'), 'utf8')])
      const missing = await darkroom(['open', ids.fox], { env: { PATH: '/nowhere' } })
      expect(missing.exitCode).toBe(1)
      expect(missing.stderr).toMatch(/^The program xdg-open was not found\. The image is at http:\S+\n$/)
    },
  )
})
