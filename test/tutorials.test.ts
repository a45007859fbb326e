// Executes the commands and the script of docs/tutorial-first-picture.md in their order. test/package installs the package,
// and test/debian opens the page.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { darkroomHere } from './cli/in-process.ts'
import { start, type Running } from './story/command.ts'
import { readBlocks, readCurl } from './story/page.ts'
import { freePort } from './support/free-port.ts'

const SHOWN_URL = 'http://127.0.0.1:4000'
const WAIT = { timeout: 30_000 }
const CLIENT = pathToFileURL('client/index.ts').href
const BLOCKS = readBlocks(readFileSync('docs/tutorial-first-picture.md', 'utf8'))
const shell = BLOCKS.filter(({ language }) => language === 'sh').map(({ text }) => text.trim())

let cwd: string
let env: NodeJS.ProcessEnv
let server: Running
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-tutorial-'))
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 200 }]
  await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify({ providers }))
  env = { PORT: String(await freePort()), LOG_LEVEL: 'error' }
  await serve({ CORS_ORIGINS: /CORS_ORIGINS=(\S+) npx darkroom serve/.exec(shell.join('\n'))?.[1] })
})
afterAll(async () => {
  await stop()
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

async function serve(more: NodeJS.ProcessEnv): Promise<void> {
  Object.assign(env, more)
  server = start('darkroom', ['serve'], { cwd, env })
  await vi.waitFor(() => expect(server.stdout() + server.stderr()).toContain('Ctrl-C to stop'), WAIT)
}

async function stop(): Promise<void> {
  server.child.kill('SIGINT')
  await server.ended
}

const here = (text: string) => text.replaceAll(SHOWN_URL, `http://127.0.0.1:${env['PORT']}`)
const block = (text: string) => shell.find((one) => one.includes(text)) ?? ''
const darkroom = (line: string) => darkroomHere(line.replace('npx darkroom ', '').split(' '), { cwd, env })

async function runScript(): Promise<string> {
  const script = BLOCKS.find(({ language }) => language === 'js')?.text ?? ''
  const [, name = ''] = /^node (\S+)$/m.exec(block('node ')) ?? []
  await writeFile(join(cwd, name), here(script).replace("'darkroom/client'", `'${CLIENT}'`))
  const child = spawn(process.execPath, [name], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  return output.trim()
}

it('the script prints the line that is shown, and stores the image', async () => {
  const page = readFileSync('docs/tutorial-first-picture.md', 'utf8')
  const [, shown] = /The last line is `([^`]+)`/.exec(page) ?? []
  expect((await runScript()).split('\n').at(-1)).toBe(shown)
  expect((await sharp(join(cwd, 'picture.png')).metadata()).width).toBe(1024)
})

it('the commands and the query show the task with its cost', async () => {
  const [tasks = '', task = '', open = '', usage = ''] = block('darkroom tasks').split('\n')
  const list = await darkroom(tasks)
  expect(list.stdout).toMatch(/succeeded .* \$0\.05874 +a lighthouse in fog/)
  const id = /task_\w{26}/.exec(list.stdout)?.[0] ?? ''
  const withId = (line: string) => line.replace(/task_\w{26}/, id)
  expect((await darkroom(withId(task))).stdout).toContain('$0.05874')
  // The machine that runs the tests has no viewer.
  expect((await darkroom(`${withId(open)} --print`)).stdout).toContain('/assets/img_')
  expect((await darkroom(usage)).stdout).toMatch(/gpt-image-2 .* \$0\.05874/)
  const response = await fetch(readCurl(here(block('curl '))))
  expect(await response.json()).toMatchObject({
    data: { tasks: { nodes: [{ id, charged: 'YES', costMicros: 58_740 }] } },
  })
})

it('keys create is refused on the open server, and makes a key on the one with an operator key', async () => {
  const create = block('keys create')
  expect(await darkroom(create)).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('Set DARKROOM_ADMIN_KEY') as unknown,
  })
  await stop()
  await serve({ DARKROOM_ADMIN_KEY: randomBytes(33).toString('base64') })
  const { stdout } = await darkroom(create)
  Object.assign(env, { DARKROOM_API_KEY: /dk_live_\S+/.exec(stdout)?.[0] })
  expect(await runScript()).toContain('1024×1024')
})
