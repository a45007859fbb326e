// Runs processes: access is decided before the port opens, and the command line creates the first key.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PROGRAM, darkroom } from '../cli/darkroom.ts'
import { createClient } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { ADMIN_KEY, bearer } from './gateway-with-keys.ts'
import { withCompileCache } from '../support/compile-cache.ts'

let cwd: string
const children = new Set<ChildProcess>()

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-access-'))
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

/** Starts a server and waits for its banner. Returns its URL and its output. */
async function serve(env: NodeJS.ProcessEnv = {}, args: string[] = ['--port', '0']) {
  const child = spawn(process.execPath, [PROGRAM, 'serve', ...args], {
    cwd,
    env: withCompileCache({ LOG_LEVEL: 'error', ...env }),
  })
  children.add(child)
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await expect.poll(() => stdout).toContain('Ctrl-C to stop')
  const port = /http:\/\/[\w.[\]:]+:(\d+)\/graphql/.exec(stdout)?.[1] ?? ''
  return { child, url: `http://127.0.0.1:${port}`, port, stdout }
}

/** Runs `darkroom keys create`. Returns the printed key and its id. */
async function createKey(args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { exitCode, stdout, stderr } = await darkroom(['keys', 'create', ...args], { cwd, env })
  expect([exitCode, stderr]).toEqual([0, ''])
  return {
    key: /dk_live_\w+/.exec(stdout)?.[0] ?? '',
    id: /key_\w{26}/.exec(stdout)?.[0] ?? '',
    stdout,
  }
}

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return (await fetch(`${url}/graphql?query={__typename}`, { headers })).status
}

describe('a server on a non-loopback address', () => {
  it('refuses to start without a key, and names the remedies', async () => {
    const { exitCode, stderr } = await darkroom(['serve', '--port', '0', '--host', '0.0.0.0'], { cwd })
    expect(exitCode).toBe(78)
    expect(stderr).toContain('HOST is "0.0.0.0", which other machines can reach')
    expect(stderr).toContain('`darkroom keys create`, set DARKROOM_ADMIN_KEY, or listen on 127.0.0.1')
  })

  it('starts with an operator key, and requires a key from every client', async () => {
    const server = await serve({ HOST: '0.0.0.0', DARKROOM_ADMIN_KEY: ADMIN_KEY })
    expect(server.stdout).toContain('Access     API key required')
    expect([await statusOf(server.url), await statusOf(server.url, bearer(ADMIN_KEY))]).toEqual([401, 200])
  })

  it('starts with a key that was created before', async () => {
    const { key } = await createKey([], { HOST: '0.0.0.0' })
    const server = await serve({ HOST: '0.0.0.0' })
    expect([await statusOf(server.url), await statusOf(server.url, bearer(key))]).toEqual([401, 200])
  })
})

describe('darkroom keys and projects', () => {
  it('create, list and revoke projects and keys', async () => {
    const created = await darkroom(['projects', 'create', 'web', 'shop'], { cwd })
    expect(created.stdout).toMatch(
      /^Created project web shop: prj_\w{26}\. Create a key with `darkroom keys create --project "web shop"`\.\n$/,
    )
    const { key, id, stdout } = await createKey([
      '--project=web shop',
      '--name=till',
      '--scopes=generate,report',
      '--expires=90d',
    ])
    expect(key).toMatch(/^dk_live_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/)
    const until = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10)
    expect(stdout).toMatch(
      new RegExp(`Project  web shop\\n  Scopes   generate, report\\n  Expires  ${until} `),
    )
    const list = await darkroom(['keys', 'list'], { cwd })
    expect(list.stdout).toMatch(/^ {2}Project +ID +Name +Prefix +Scopes +Expires +Last used\n/)
    expect(list.stdout).toMatch(
      new RegExp(
        `\\n  web shop  ${id}  till  ${key.slice(0, 18)}  generate, report  ${until} \\d\\d:\\d\\d  never\\n`,
      ),
    )
    expect(list.stdout).not.toContain(key.slice(19))
    const revoked = await darkroom(['keys', 'revoke', id], { cwd })
    expect(revoked.stdout).toContain(`Revoked ${id} (${key.slice(0, 18)}…, till).`)
    expect((await darkroom(['keys', 'list', '--revoked'], { cwd })).stdout).toContain('revoked')
    const projects = await darkroom(['projects'], { cwd })
    expect(projects.stdout).toMatch(/\n {2}default +prj_0{26} +\d{4}-\d\d-\d\d\n {2}web shop +prj_\w{26} /)
    const unknown = await darkroom(['keys', 'list', '--project=web'], { cwd })
    expect(unknown.stderr).toMatch(/^There is no project "web"\. Existing projects: default, web shop\.\n/)
  })

  it('send a request with the operator key to the server that holds the data folder', async () => {
    const { port, url } = await serve({ DARKROOM_ADMIN_KEY: ADMIN_KEY })
    const env = { PORT: port, DARKROOM_ADMIN_KEY: ADMIN_KEY }
    const { key, id } = await createKey(['--scopes=read'], env)
    expect(await statusOf(url, bearer(key))).toBe(200)
    expect((await darkroom(['keys', 'revoke', id], { cwd, env })).exitCode).toBe(0)
    await expect.poll(() => statusOf(url, bearer(key))).toBe(401)
    const without = await darkroom(['keys', 'list'], { cwd, env: { PORT: port } })
    expect(without.exitCode).toBe(1)
    expect(without.stderr).toContain('requires the operator key: set DARKROOM_ADMIN_KEY')
    const nowhere = await darkroom(['keys', 'list'], { cwd, env: { PORT: '0' } })
    expect(nowhere.stderr).toContain('Pass the URL of the running server with --url.')
    const there = await darkroom(['keys', 'list', '--revoked', `--url=${url}`], {
      cwd,
      env: { ...env, PORT: '0' },
    })
    expect(there.stdout).toContain(id)
  })

  it('write to the PostgreSQL database of a running server, which applies the change', async () => {
    const place = await newPlace('postgresql')
    try {
      const env = { DATABASE_URL: place.databaseUrl!, DATA_DIR: place.dataDir }
      const { url } = await serve(env)
      expect(await statusOf(url)).toBe(200)
      const { key, id } = await createKey([], env)
      await expect.poll(() => statusOf(url)).toBe(401)
      expect(await statusOf(url, bearer(key))).toBe(200)
      await darkroom(['keys', 'revoke', id], { cwd, env })
      await expect.poll(() => statusOf(url, bearer(key))).toBe(401)
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await place.remove()
    }
  })

  it.each([
    [['keys'], '`darkroom keys` takes one of: create, list, revoke <id>.'],
    [['keys', 'revoke'], '`darkroom keys` takes one of: create, list, revoke <id>.'],
    [['keys', 'create', 'shop'], '`darkroom keys` takes one of: create, list, revoke <id>.'],
    [
      ['keys', 'create', '--scopes=reed'],
      '--scopes contains "reed"; scopes are generate, read, report, admin. Did you mean `read`?',
    ],
    [
      ['keys', 'create', '--expires=soon'],
      '--expires is "soon"; it must be a duration or date such as 12h, 90d, 4w or 2027-01-31.',
    ],
    [['projects', 'remove'], '`darkroom projects` takes one of: list, create <name>.'],
  ])('report the invalid command line %s', async (args, sentence) => {
    const { exitCode, stderr } = await darkroom(args, { cwd })
    expect([exitCode, stderr.split('\n')[0]]).toEqual([64, sentence])
  })
})

it('the demo sends DARKROOM_API_KEY to a server that requires keys', async () => {
  const { url } = await serve({ DARKROOM_ADMIN_KEY: ADMIN_KEY })
  const { createApiKey } = await createClient(url, bearer(ADMIN_KEY)).get<{ createApiKey: { key: string } }>(
    'mutation { createApiKey(input: { name: "demo" }) { key } }',
  )
  const demo = (env: NodeJS.ProcessEnv) =>
    darkroom(['demo', 'a fox', '--partials=1', `--url=${url}`], { cwd, env })
  const { exitCode, stdout, stderr } = await demo({ DARKROOM_API_KEY: createApiKey.key })
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(stdout).toContain('out/a-fox.png')
  const without = await demo({})
  expect([without.exitCode, without.stderr]).toEqual([
    1,
    'An API key is needed, in the header "Authorization: Bearer <key>". ' +
      'Set DARKROOM_API_KEY to an API key of this server, or DARKROOM_ADMIN_KEY to its operator key.\n',
  ])
  // The server that the demo starts requires no key, regardless of the environment.
  const alone = await darkroom(['demo', 'a fox', '--partials=0'], {
    cwd,
    env: { DARKROOM_ADMIN_KEY: ADMIN_KEY },
  })
  expect([alone.exitCode, alone.stderr]).toEqual([0, ''])
})
