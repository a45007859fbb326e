// Executes the commands of README.md and docs/getting-started.md, and compares their output with the pages.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isGroupAlive, start, startServer, type Running } from './story/command.ts'
import {
  findDifference,
  readBlocks,
  readCurl,
  readMessages,
  translate,
  type Block,
  type Names,
} from './story/page.ts'
import { createClient } from './support/client.ts'

const SHOWN_URL = 'http://127.0.0.1:4000'
/** The sources of `darkroom/client`. */
const CLIENT = pathToFileURL('client/index.ts').href
const README = readBlocks(readFileSync('README.md', 'utf8'))
const GETTING_STARTED = readBlocks(readFileSync('docs/getting-started.md', 'utf8'))

let cwd: string
const started: Running[] = []
const track = <R extends Running>(running: R): R => (started.push(running), running)

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-story-'))
})
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

describe('the demo', () => {
  it('prints what is shown, leaves the images, and nothing else', async () => {
    const shown = blockWith(GETTING_STARTED, 'npm run demo')
    const [, prompt = ''] = /npm run demo -- "([^"]+)"/.exec(shown.text) ?? []
    await mkdir(join(cwd, 'tmp'))
    const demo = track(start('demo', [prompt], { cwd, env: { TMPDIR: join(cwd, 'tmp') } }))
    expect([await demo.ended, demo.stderr()]).toEqual([0, ''])
    expect(withoutVaryingValues(demo.stdout())).toBe(
      withoutVaryingValues(outputOf(GETTING_STARTED, shown).text),
    )
    const names = ['-partial-1', '-partial-2', '-partial-3', ''].map(
      (end) => `a-red-fox-in-the-snow${end}.png`,
    )
    expect(await readdir(join(cwd, 'out'))).toEqual(names)
    for (const name of names) expect(await sizeOf(join(cwd, 'out', name))).toBe('png 1024x1024')
    expect(await readdir(join(cwd, 'tmp'))).toEqual([])
    expect(isGroupAlive(demo)).toBe(false)
  })

  it('is the same command on both pages', () => {
    const commands = [README, GETTING_STARTED].map((blocks) => blockWith(blocks, 'npm ci && npm run demo'))
    expect(new Set(commands.map(({ text }) => text.split('\n')[0])).size).toBe(1)
  })

  it('uses a running server', async () => {
    const server = track(await startServer(cwd))
    const demo = track(start('demo', ['a lighthouse', '--url', server.url, '--size', '1024x1536'], { cwd }))
    expect([await demo.ended, demo.stderr()]).toEqual([0, ''])
    expect(demo.stdout()).toContain(`\n  ${server.url}/graphql\n`)
    expect(await sizeOf(join(cwd, 'out', 'a-lighthouse.png'))).toBe('png 1024x1536')
    const { tasks } = await createClient(server.url).get<{ tasks: { nodes: unknown[] } }>(
      '{ tasks { nodes { prompt status } } }',
    )
    expect(tasks.nodes).toEqual([{ prompt: 'a lighthouse', status: 'SUCCEEDED' }])
  })
})

describe('the test command', () => {
  it('is the one that runs for every change', () => {
    const [, testing = ''] = /^(npm ci.*test)$/m.exec(README.map(({ text }) => text).join('')) ?? []
    expect(testing).toBe('npm ci && npm test')
    expect(readFileSync('.ci/run', 'utf8')).toContain(testing)
    expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toContain('.ci/run')
    expect(readFileSync('package.json', 'utf8')).toContain('"test": "vitest run"')
  })
})

describe.each([
  { page: 'README.md', blocks: README, count: 4 },
  { page: 'docs/getting-started.md', blocks: GETTING_STARTED, count: 6 },
])('the commands of $page', ({ blocks, count }) => {
  it('print what is shown', async () => {
    const server = track(await startServer(cwd))
    const names: Names = new Map([[SHOWN_URL, server.url]])
    const wsUrl = (text: string) =>
      text.replace(SHOWN_URL.replace('http', 'ws'), server.url.replace('http', 'ws'))
    const commands = blocks.filter(
      // test/docs-rest.test.ts runs the block for OpenAI's package.
      ({ language, text }) =>
        text.startsWith('curl ') || (language === 'js' && !text.includes("from 'openai'")),
    )
    expect(commands).toHaveLength(count)
    for (const command of commands) {
      const text = translate(wsUrl(command.text), names).replace("'darkroom/client'", `'${CLIENT}'`)
      const output = command.language === 'js' ? await runScript(text) : await send(text)
      const difference = findDifference(
        readMessages(outputOf(blocks, command).text),
        readMessages(output),
        names,
      )
      expect(difference && `${command.text}\n${difference}`).toBeUndefined()
    }
    // The image that was shown can be downloaded.
    const text = blocks.map((block) => block.text).join('')
    const [url = ''] = /http\S+\/img_\w+\.png(?=","width":1024)/.exec(text) ?? []
    const response = await fetch(translate(url, names))
    expect((await sharp(await response.arrayBuffer()).metadata()).width).toBe(1024)
  })

  it('return the same task for the same idempotency key', async () => {
    const server = track(await startServer(cwd))
    const command = blockWith(blocks, 'idempotencyKey').text.replace(SHOWN_URL, server.url)
    const ids = [await send(command), await send(command)].map((output) => /task_\w{26}/.exec(output)?.[0])
    expect(ids[0]).toBeDefined()
    expect(ids[1]).toBe(ids[0])
  })
})

describe('the comparison of outputs', () => {
  it('finds an output that is not what is shown', () => {
    const names: Names = new Map()
    expect(findDifference(taskMessage('0', 'QUEUED'), taskMessage('1', 'QUEUED'), names)).toBeUndefined()
    expect(findDifference(taskMessage('0', 'QUEUED'), taskMessage('1', 'FAILED'), names)).toContain('FAILED')
    expect(findDifference(taskMessage('0', 'QUEUED'), taskMessage('2', 'QUEUED'), names)).toContain(
      'and is now task_222',
    )
    expect(findDifference(['a', '...', 'c'], ['a', 'b', 'b', 'c'], names)).toBeUndefined()
    expect(findDifference(['a', '...', 'c'], ['a', 'b', 'b'], names)).toContain('real')
    expect(findDifference(['a', 'c'], ['a', 'b', 'c'], names)).toContain('shown: "c"')
    expect(findDifference(['a'], ['a', 'b'], names)).toBe('not shown: "b"')
  })
})

describe('a server', () => {
  it('finishes the running image after SIGTERM, and exits with 0', async () => {
    const server = track(await startServer(cwd))
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

    const next = track(await startServer(cwd))
    const { task } = await createClient(next.url).get<{ task: unknown }>(
      'query ($id: ID!) { task(id: $id) { status images { width } } }',
      { id },
    )
    expect(task).toEqual({ status: 'SUCCEEDED', images: [{ width: 1024 }] })
  })

  it('lists what may have been charged before a SIGKILL, does not send it again, and runs what was queued', async () => {
    const server = track(await startServer(cwd))
    const client = createClient(server.url)
    // The sandbox works on four at once.
    const ids: string[] = []
    for (let i = 0; i < 5; i++)
      ids.push(await client.generate({ prompt: 'fog [sandbox:duration=4000]', n: 1 }))
    await expect.poll(() => statuses(server.url, ids)).toEqual([...RUNNING_FOUR, 'QUEUED'])
    server.child.kill('SIGKILL')
    await server.ended

    const next = track(await startServer(cwd))
    await expect
      .poll(() => statuses(next.url, ids), { interval: 200 })
      .toEqual([...UNKNOWN_FOUR, 'SUCCEEDED'])
    const { retryTask } = await createClient(next.url).get<{ retryTask: { task: { id: string } } }>(
      'mutation ($id: ID!) { retryTask(input: { id: $id, acceptPossibleSecondCharge: true }) { task { id } } }',
      { id: ids[0] },
    )
    expect(retryTask.task.id).toBe(ids[0])
    expect(await createClient(next.url).ended(retryTask.task.id)).toEqual({ status: 'SUCCEEDED' })
  })
})

const RUNNING_FOUR = Array.from({ length: 4 }, () => 'RUNNING')
const UNKNOWN_FOUR = Array.from({ length: 4 }, () => 'OUTCOME_UNKNOWN')

async function statuses(url: string, ids: string[]): Promise<string[]> {
  const { nodes } = await createClient(url).get<{ nodes: { status: string }[] }>(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { status } } }',
    { ids },
  )
  return nodes.map(({ status }) => status)
}

function blockWith(blocks: readonly Block[], text: string): Block {
  const block = blocks.find((one) => one.text.includes(text))
  if (!block) throw new Error(`The page has no block with ${text}.`)
  return block
}

/** The block that follows a command. */
function outputOf(blocks: readonly Block[], command: Block): Block {
  const output = blocks[blocks.indexOf(command) + 1]
  if (output?.language !== 'json' && output?.language !== 'text')
    throw new Error(`The page shows no output of ${command.text}`)
  return output
}

function taskMessage(digit: string, status: string): unknown[] {
  return [{ id: `task_${digit.repeat(26)}`, status }]
}

async function send(command: string): Promise<string> {
  const response = await fetch(readCurl(command))
  return response.text()
}

/** Runs a snippet as a module of this project, without the global WebSocket, which Node.js 20 does not have. */
async function runScript(script: string): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--no-experimental-websocket', '--input-type=module', '--eval', script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  return output
}

/** The output of the demo without ids, ports, sizes and times, and with one line for any number of progress lines. */
function withoutVaryingValues(output: string): string {
  return (
    output
      .trim()
      .replaceAll(/task_\w{26}/g, '<task>')
      .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
      .replaceAll(/\d[\d.,]* (?:ms|s|B|KB|MB)\b/g, '<amount>')
      // Whether the demo sees the task in the queue depends on timing.
      .replaceAll(/(?:^ +\d+% {2}(?:\w+|in the queue)\n)+/gm, '  <progress>\n')
  )
}

/** Decodes the whole file, so that a truncated one is an error. */
async function sizeOf(path: string): Promise<string> {
  const image = sharp(path)
  const { format, width, height } = await image.metadata()
  await image.stats()
  return `${format} ${width}x${height}`
}
