// What the README shows is what happens: its commands are executed, and its outputs compared with theirs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { VARIABLES } from '../src/config/environment.ts'
import { dialects } from '../src/providers/index.ts'
import { SANDBOX_DIRECTIVES } from '../src/providers/sandbox/scenario.ts'
import { isGroupAlive, start, startServer, type Running } from './story/command.ts'
import {
  difference,
  readBlocks,
  readCurl,
  readMessages,
  translate,
  type Block,
  type Names,
} from './story/readme.ts'
import { createClient } from './support/client.ts'

const README = readFileSync('README.md', 'utf8')
const BLOCKS = readBlocks(README)
const SHOWN_URL = 'http://127.0.0.1:4000'

let cwd: string
const started: Running[] = []
const kept = <R extends Running>(running: R): R => (started.push(running), running)

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-story-'))
})
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

describe('run it', () => {
  test(
    'the demo tells what is shown, leaves the pictures, and nothing else',
    { timeout: 60_000 },
    async () => {
      const [, prompt = ''] = /npm run demo -- "([^"]+)"/.exec(blockWith('npm run demo').text) ?? []
      await mkdir(join(cwd, 'tmp'))
      const demo = kept(start('demo', [prompt], { cwd, env: { TMPDIR: join(cwd, 'tmp') } }))
      expect([await demo.ended, demo.stderr()]).toEqual([0, ''])
      expect(withoutChance(demo.stdout())).toBe(withoutChance(outputOf(blockWith('npm run demo')).text))
      const names = ['-partial-1', '-partial-2', '-partial-3', ''].map(
        (end) => `a-red-fox-in-the-snow${end}.png`,
      )
      expect(await readdir(join(cwd, 'out'))).toEqual(names)
      for (const name of names) expect(await sizeOf(join(cwd, 'out', name))).toBe('png 1024x1024')
      expect(await readdir(join(cwd, 'tmp'))).toEqual([])
      expect(isGroupAlive(demo)).toBe(false)
    },
  )

  test('the demo paints on a server that runs already', { timeout: 60_000 }, async () => {
    const server = kept(await startServer(cwd))
    const demo = kept(start('demo', ['a lighthouse', '--url', server.url, '--size', '1024x1536'], { cwd }))
    expect([await demo.ended, demo.stderr()]).toEqual([0, ''])
    expect(demo.stdout()).toContain(`${server.url}/graphql, running already`)
    expect(await sizeOf(join(cwd, 'out', 'a-lighthouse.png'))).toBe('png 1024x1536')
    const { tasks } = await createClient(server.url).get<{ tasks: { nodes: unknown[] } }>(
      '{ tasks { nodes { prompt status } } }',
    )
    expect(tasks.nodes).toEqual([{ prompt: 'a lighthouse', status: 'SUCCEEDED' }])
  })

  test('the commands for newcomers are the ones that are run for every change', () => {
    const [, testing = ''] = /^(npm ci.*test)$/m.exec(BLOCKS.map(({ text }) => text).join('')) ?? []
    expect(testing).toBe('npm ci && npm test')
    expect(readFileSync('.ci/run', 'utf8')).toContain(testing)
    expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toContain('.ci/run')
    expect(readFileSync('package.json', 'utf8')).toContain('"test": "vitest run"')
  })
})

describe('ask, watch, resume', () => {
  test('every command answers what is shown', { timeout: 60_000 }, async () => {
    const server = kept(await startServer(cwd))
    const names: Names = new Map([[SHOWN_URL, server.url]])
    const wsUrl = (text: string) =>
      text.replace(SHOWN_URL.replace('http', 'ws'), server.url.replace('http', 'ws'))
    const commands = BLOCKS.filter(({ language, text }) => text.startsWith('curl ') || language === 'js')
    expect(commands).toHaveLength(6)
    for (const command of commands) {
      const text = translate(wsUrl(command.text), names)
      const output = command.language === 'js' ? await runScript(text) : await send(text)
      const found = difference(readMessages(outputOf(command).text), readMessages(output), names)
      expect(
        found &&
          `${command.text}
${found}`,
      ).toBeUndefined()
    }
    // The picture that was shown is there to be fetched.
    const [shown = ''] = /http\S+\/img_\w+\.png(?=","width":1024)/.exec(README) ?? []
    const response = await fetch(translate(shown, names))
    expect((await sharp(await response.arrayBuffer()).metadata()).width).toBe(1024)
  })

  test('an answer that is not what is shown is noticed', () => {
    const names: Names = new Map()
    expect(difference(taskMessage('0', 'QUEUED'), taskMessage('1', 'QUEUED'), names)).toBeUndefined()
    expect(difference(taskMessage('0', 'QUEUED'), taskMessage('1', 'FAILED'), names)).toContain('FAILED')
    expect(difference(taskMessage('0', 'QUEUED'), taskMessage('2', 'QUEUED'), names)).toContain(
      'and is now task_222',
    )
    expect(difference(['a', '...', 'c'], ['a', 'b', 'b', 'c'], names)).toBeUndefined()
    expect(difference(['a', '...', 'c'], ['a', 'b', 'b'], names)).toContain('real')
    expect(difference(['a', 'c'], ['a', 'b', 'c'], names)).toContain('shown: "c"')
    expect(difference(['a'], ['a', 'b'], names)).toBe('not shown: "b"')
  })

  test('asking again with the same key is the same task', { timeout: 60_000 }, async () => {
    const server = kept(await startServer(cwd))
    const ask = blockWith('idempotencyKey').text.replace(SHOWN_URL, server.url)
    const ids = [await send(ask), await send(ask)].map((output) => /task_\w{26}/.exec(output)?.[0])
    expect(ids[0]).toBeDefined()
    expect(ids[1]).toBe(ids[0])
  })

  test('SIGTERM lets the picture under way be finished, and exits 0', { timeout: 60_000 }, async () => {
    const server = kept(await startServer(cwd))
    const client = createClient(server.url)
    const id = await client.generate({ prompt: 'fog [sandbox:duration=2000]', partialImages: 1 })
    const events = client.watch<{ taskEvents: { type: string } }>(
      'SSE',
      'subscription ($id: ID!) { taskEvents(taskId: $id, after: null) { type: __typename } }',
      { id },
    )
    for await (const { data } of events) if (data?.taskEvents.type === 'PartialImageReceived') break
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(server.stdout()).toMatch(/Stopped\.\n$/)

    const again = kept(await startServer(cwd))
    const { task } = await createClient(again.url).get<{ task: unknown }>(
      'query ($id: ID!) { task(id: $id) { status images { width } } }',
      { id },
    )
    expect(task).toEqual({ status: 'SUCCEEDED', images: [{ width: 1024 }] })
  })
})

describe('when it crashes', () => {
  test(
    'what may have been paid for is shown and not sent again, and what was queued runs',
    { timeout: 60_000 },
    async () => {
      const server = kept(await startServer(cwd))
      const client = createClient(server.url)
      // The sandbox works on four at once.
      const ids: string[] = []
      for (let i = 0; i < 5; i++)
        ids.push(await client.generate({ prompt: 'fog [sandbox:duration=4000]', n: 1 }))
      await vi.waitFor(async () =>
        expect(await statuses(server.url, ids)).toEqual([...RUNNING_FOUR, 'QUEUED']),
      )
      server.child.kill('SIGKILL')
      await server.ended

      const again = kept(await startServer(cwd))
      await vi.waitFor(
        async () => expect(await statuses(again.url, ids)).toEqual([...UNKNOWN_FOUR, 'SUCCEEDED']),
        { timeout: 20_000, interval: 200 },
      )
      const { retryTask } = await createClient(again.url).get<{ retryTask: { id: string } }>(
        'mutation ($id: ID!) { retryTask(id: $id, acceptPossibleSecondCharge: true) { id } }',
        { id: ids[0] },
      )
      expect(retryTask.id).toBe(ids[0])
      expect(await createClient(again.url).ended(retryTask.id)).toEqual({ status: 'SUCCEEDED' })
    },
  )
})

describe('what else is said', () => {
  test('the configuration shown is one that loads', async () => {
    const shown = blockWith('"providers": [').text
    await writeFile(join(cwd, 'darkroom.config.json'), shown)
    const config = await loadConfig({ env: { OPENAI_API_KEY: 'sk-test-1', BACKUP_KEY: 'sk-test-2' }, cwd })
    await Promise.all(config.providers.map((provider) => provider.close()))
    expect(config.providers.map(({ name }) => name)).toEqual(['openai', 'backup', 'sandbox'])
    expect(config.corsOrigins).toEqual(['https://app.example.com'])
  })

  test('the variables are all there, with their defaults', async () => {
    const rows = new Map(
      [...README.matchAll(/^\| `([A-Z_]+)` \| `?([^|`]*?)`? \|/gm)].map(([, name, value]) => [name, value]),
    )
    expect([...rows.keys()]).toEqual(expect.arrayContaining(Object.values(VARIABLES)))
    const { port, host, logLevel } = await loadConfig({ env: {}, cwd })
    expect([port, host, logLevel].map(String)).toEqual(
      ['PORT', 'HOST', 'LOG_LEVEL'].map((name) => rows.get(name)),
    )
  })

  test('the dialects are all there, and switched on by what is shown', async () => {
    const rows = [...README.matchAll(/^\| `([a-z]+)` \|.*\| ([^|]+) \|$/gm)].map(([, name, text = '']) => ({
      name,
      text,
    }))
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(Object.keys(dialects)))
    for (const { name, text } of rows) {
      const [needed = ''] = text.split(';')
      const env = Object.fromEntries((needed.match(/[A-Z_]{4,}/g) ?? []).map((key) => [key, valueFor(key)]))
      const config = await loadConfig({ env, cwd })
      await Promise.all(config.providers.map((provider) => provider.close()))
      expect([name, config.warnings]).toEqual([config.providers.map(({ dialect }) => dialect).join(), []])
    }
  })

  test('the sandbox knows its directives', () => {
    const named = README.match(/\[sandbox:\w+\]/g) ?? []
    expect(named.length).toBeGreaterThan(2)
    expect(Object.keys(SANDBOX_DIRECTIVES)).toEqual(expect.arrayContaining(named))
  })

  test('every link leads somewhere', () => {
    const pages = globSync(['*.md', 'decisions/*.md', 'docs/*.md'])
    const links = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to = '']) =>
        join(dirname(page), to),
      ),
    )
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter((link) => !existsSync(link))).toEqual([])
  })
})

function blockWith(text: string): Block {
  const block = BLOCKS.find((one) => one.text.includes(text))
  if (!block) throw new Error(`The README has no block with ${text}.`)
  return block
}

const RUNNING_FOUR = Array.from({ length: 4 }, () => 'RUNNING')
const UNKNOWN_FOUR = Array.from({ length: 4 }, () => 'OUTCOME_UNKNOWN')

async function statuses(url: string, ids: string[]): Promise<string[]> {
  const { nodes } = await createClient(url).get<{ nodes: { status: string }[] }>(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { status } } }',
    { ids },
  )
  return nodes.map(({ status }) => status)
}

function valueFor(variable: string): string {
  return variable.endsWith('_URL') ? 'https://images.example.com/v1' : 'key-0123456789'
}

function taskMessage(digit: string, status: string): unknown[] {
  return [{ id: `task_${digit.repeat(26)}`, status }]
}

/** The block behind a command. */
function outputOf(command: Block): Block {
  const output = BLOCKS[BLOCKS.indexOf(command) + 1]
  if (output?.language !== 'json' && output?.language !== 'text')
    throw new Error('The README shows no output.')
  return output
}

async function send(command: string): Promise<string> {
  const response = await fetch(readCurl(command))
  return response.text()
}

/** Runs a snippet as a module of this project. */
async function runScript(script: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  return output
}

/** The demo's lines without ids, ports, sizes and times, and with one line for however many steps there were. */
function withoutChance(output: string): string {
  return (
    output
      .trim()
      .replaceAll(/task_\w{26}/g, '<task>')
      .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
      .replaceAll(/\d[\d.,]* (?:ms|s|B|KB|MB)\b/g, '<amount>')
      // Whether it is seen waiting is chance, too.
      .replaceAll(/(?:^ +\d+% {2}(?:\w+|in the queue)\n)+/gm, '  <progress>\n')
  )
}

/** Decodes all of it, so that half a file is no picture. */
async function sizeOf(path: string): Promise<string> {
  const image = sharp(path)
  const { format, width, height } = await image.metadata()
  await image.stats()
  return `${format} ${width}x${height}`
}
