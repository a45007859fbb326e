// Executes every `darkroom` command that a page shows, in their order, against one server with a task of each kind.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ADMIN_KEY, bearer } from './access/gateway-with-keys.ts'
import { darkroomHere } from './cli/in-process.ts'
import { start, type Running } from './story/command.ts'
import { readBlocks } from './story/page.ts'
import { createClient } from './support/client.ts'
import { freePort } from './support/free-port.ts'

/** Beginnings of commands that are not executed here, with the reason. test/docs-pages.test.ts still reads their options. */
const ELSEWHERE: readonly (readonly [beginning: string, reason: string])[] = [
  ['serve', 'does not end: test/cli/serve.test.ts'],
  ['mcp', 'does not end: test/mcp/stdio.test.ts'],
  ['demo', 'paints: test/story.test.ts and test/cli/demo.test.ts'],
  ['open task', 'needs a viewer: test/cli/tasks.test.ts has a fake one'],
  ['bills fetch', 'needs an account: test/bills/openai-costs.test.ts has a fake one'],
  ['models check', 'needs an account: test/cli/models.test.ts has a fake one'],
  ['providers-check', 'needs an account: test/cli/providers-check.test.ts has a fake one'],
  ['assets copy', 'needs a bucket: test/assets/s3/gateway.test.ts has a fake one'],
  ['migrate', 'is refused while a server runs on SQLite: test/cli/serve.test.ts'],
  ['schema --write', 'changes schema.graphql: test/cli/serve.test.ts'],
]
/** Files that the commands name. */
const FILES: Readonly<Record<string, string>> = {
  'november.csv': 'request_id,amount_usd,time\nreq_1,0.03,2026-11-05T12:00:00Z\n',
  'invoice.csv': 'Reference,Total,time\nreq_1,0.03,2026-11-05T12:00:00Z\n',
}

interface Sample {
  images: { id: string }[]
  attempts: { id: string }[]
}

let cwd: string
let env: NodeJS.ProcessEnv
let server: Running
/** A task that can be canceled. */
let running: string
const ids = new Map<string, string>()
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-commands-'))
  const port = await freePort()
  env = { PORT: String(port), DARKROOM_ADMIN_KEY: ADMIN_KEY, LOG_LEVEL: 'error', HOME: cwd }
  const price = { imageMicros: 30_000 }
  const account = { apiKey: 'key-of-the-fake', models: [{ name: 'gpt-image-2', price }] }
  const providers = [
    { name: 'sandbox', dialect: 'sandbox', durationMs: 0 },
    { name: 'jimmy', dialect: 'jimmy', ...account },
    { name: 'basic', dialect: 'basic', baseUrl: 'https://example.com/api/v1', ...account },
    { name: 'openai', dialect: 'openai', ...account },
  ]
  await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify({ providers }))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(cwd, name), text)
  await mkdir(join(cwd, 'backups'))
  server = start('darkroom', ['serve'], { cwd, env })
  await vi.waitFor(isListening, { timeout: 30_000 })
  const client = createClient(`http://127.0.0.1:${port}`, bearer(ADMIN_KEY))
  const ended = await client.generate({ prompt: 'a lighthouse', providers: ['sandbox'] })
  await client.ended(ended)
  const { task } = await client.get<{ task: Sample }>(
    'query ($id: ID!) { task(id: $id) { images { id } attempts { id } } }',
    { id: ended },
  )
  const { createApiKey } = await client.get<{ createApiKey: { apiKey: { id: string } } }>(
    'mutation { createApiKey(input: { name: "sample" }) { apiKey { id } } }',
  )
  const { dataFolders } = await client.get<{ dataFolders: { id: string }[] }>('{ dataFolders { id } }')
  ids.set('img', task.images[0]?.id ?? '').set('att', task.attempts[0]?.id ?? '')
  ids.set('key', createApiKey.apiKey.id).set('fld', dataFolders[0]?.id ?? '')
  ids.set('task', ended)
  running = await client.generate({ prompt: 'fog [sandbox:duration=60000]', providers: ['sandbox'] })
  await writeFile(join(cwd, 'corrections.csv'), `attempt_id,amount_usd\n${ids.get('att')},0.04\n`)
})
afterAll(async () => {
  server.child.kill('SIGKILL')
  await server.ended
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

it('the commands that the pages show succeed', async () => {
  const shown = shownCommands()
  const commands = shown.filter((line) => !ELSEWHERE.some(([beginning]) => line.startsWith(beginning)))
  expect(commands.length).toBeGreaterThan(45)
  const unused = ELSEWHERE.filter(([beginning]) => !shown.some((line) => line.startsWith(beginning)))
  expect(unused).toEqual([])
  const failures: string[] = []
  for (const line of [...commands.filter(isFirst), ...commands.filter((one) => !isFirst(one))]) {
    const { exitCode, stderr } = await darkroomHere(wordsOf(line), { cwd, env })
    if (exitCode !== 0 || stderr !== '') failures.push(`${line}: ${exitCode} ${stderr}`)
  }
  expect(failures).toEqual([])
})

it.each(ELSEWHERE)('%s: %s', (_start, reason) => {
  const [file = ''] = /test\/\S+\.ts/.exec(reason) ?? []
  expect(existsSync(file)).toBe(true)
})

function isListening(): void {
  expect(server.stdout() + server.stderr()).toContain('Ctrl-C to stop')
}

/** Others need its project. */
function isFirst(line: string): boolean {
  return line.startsWith('projects create')
}

/** With the ids and folders of this test. */
function wordsOf(line: string): string[] {
  const known = new Map(line.startsWith('cancel ') ? [['task', running]] : ids)
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) =>
    (quoted ?? word ?? '')
      .replace(/^(task|img|att|key|fld)_\w*…?$/, (_id, kind: string) => known.get(kind) ?? '')
      .replace(/^\/backups/, join(cwd, 'backups')),
  )
}

function shownCommands(): string[] {
  const pages = [...globSync('*.md'), ...globSync('docs/*.md')].toSorted()
  const lines = pages.flatMap((page) =>
    readBlocks(readFileSync(page, 'utf8'))
      .filter(({ language }) => ['sh', 'text'].includes(language))
      .flatMap(({ text }) => text.split('\n')),
  )
  const commands = lines.flatMap((line) => {
    const [, command] =
      /^(?:[A-Z_]+=\S+ )*(?:npm run darkroom -- |npx darkroom |darkroom )([^#>|]+)/.exec(line) ?? []
    return command === undefined || /[[<|]/.test(command) ? [] : [command.trim()]
  })
  return [...new Set(commands)]
}
