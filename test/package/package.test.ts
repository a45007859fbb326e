// The npm package: its content, and its use outside of this repository.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { openAgent } from '../mcp/agent.ts'
import { createClient } from '../support/client.ts'
import { freePort } from '../support/free-port.ts'
import { run, withoutNpm } from '../support/npm.ts'
import { runExpressAndScript } from './examples.ts'
import { install, LINKED, type Installed } from './install.ts'

let installed: Installed

beforeAll(async () => {
  installed = await install()
}, 240_000)
afterAll(() => installed?.remove())

/** The installed binary of the package. */
const binary = () => join(installed.folder, 'node_modules/darkroom/bin/darkroom.js')

/** The environment of a process with this Node and npm. */
const environmentOf = (node: string) => ({
  ...withoutNpm(process.env),
  ...installed.env,
  PATH: [dirname(node), process.env['PATH']].join(delimiter),
})

describe('the tarball', () => {
  it('contains every module and migration, and nothing else', () => {
    const modules = [
      ...globSync('src/**/*.ts').map((path) => path.replace(/^src(.*)\.ts$/, 'dist$1.js')),
      ...globSync('client/**/*.ts').map((path) => path.replace(/^(.*)\.ts$/, 'dist/$1.js')),
    ]
    const migrations = globSync('drizzle/*/*/migration.sql')
    const files = installed.tarball.files.filter((path) => !path.startsWith('dashboard/'))
    expect(modules.length).toBeGreaterThan(300)
    expect(files.filter((path) => !path.endsWith('.d.ts')).toSorted()).toEqual(
      [
        ...modules,
        ...migrations,
        'LICENSE',
        'README.md',
        'package.json',
        'schema.graphql',
        'bin/darkroom.js',
        'bin/package.json',
        'bin/start.js',
      ]
        .map((path) => path.replaceAll('\\', '/'))
        .toSorted(),
    )
    expect(files).toEqual(
      expect.arrayContaining(['dist/index.d.ts', 'dist/client/index.d.ts', 'dist/client/react/index.d.ts']),
    )
    expect(files.filter((path) => path.endsWith('.d.ts')).every((path) => path.startsWith('dist/'))).toBe(
      true,
    )
  })

  it('contains the built dashboard, without its sources and maps', () => {
    const files = installed.tarball.files.filter((path) => path.startsWith('dashboard/'))
    expect(files).toContain('dashboard/dist/index.html')
    const names = /^dashboard\/dist\/(?:index\.html|stamp\.json|dashboard\/[\w.-]+\.(?:js|css|svg))$/
    expect(files.filter((path) => !names.test(path))).toEqual([])
  })

  it('is small, and installs no development dependency', () => {
    const modules = join(installed.folder, 'node_modules')
    expect(installed.tarball.size).toBeLessThan(1_000_000)
    const installedTools = Object.keys(manifest.devDependencies).filter((name) =>
      existsSync(join(modules, name)),
    )
    expect(installedTools.toSorted()).toEqual(LINKED.toSorted())
    const files = globSync('**/*', { cwd: modules, exclude: (path) => path === 'hono' })
    const bytes = files.reduce((sum, path) => sum + statSync(join(modules, path)).size, 0)
    expect(bytes).toBeGreaterThan(50_000_000)
    expect(bytes).toBeLessThan(200_000_000)
  })
})

describe.each(['current', 'oldest'] as const)('on the %s Node', (which) => {
  const node = () => installed.nodes[which]

  it('npx runs the command, which generates an image in an empty folder', async () => {
    const cwd = join(installed.folder, `demo-${which}`)
    await mkdir(cwd)
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 100 }]
    await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify({ providers }))
    const npx = (...args: string[]) =>
      run('npm', ['exec', '--no', '--', 'darkroom', ...args], { cwd, env: environmentOf(node()) })
    expect(await npx('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
    const demo = await npx('demo', 'a lighthouse')
    expect([demo.code, demo.stderr]).toEqual([0, ''])
    expect(demo.stdout).toContain('a-lighthouse.png')
    expect(existsSync(join(cwd, 'out/a-lighthouse.png'))).toBe(true)
  })

  it('the server runs, and its data can be reported, backed up and verified', async () => {
    const cwd = join(installed.folder, `serve-${which}`)
    await mkdir(cwd)
    await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify({ logLevel: 'error', port: 0 }))
    const darkroom = (...args: string[]) => run(node(), [binary(), ...args], { cwd, env: installed.env })
    const server = spawn(node(), [binary(), 'serve'], { cwd, env: installed.env })
    const ended = once(server, 'close')
    let banner = ''
    server.stdout.setEncoding('utf8').on('data', (text: string) => (banner += text))
    try {
      await expect.poll(() => banner).toContain('Ctrl-C to stop')
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(banner)?.[0] ?? ''
      const client = createClient(url)
      const id = await client.generate({ prompt: 'a lighthouse [sandbox:duration=100]' })
      expect(await client.ended(id)).toEqual({ status: 'SUCCEEDED' })
      const [usage, backup, doctor] = await Promise.all([
        darkroom('usage', '--by', 'day', '--time-zone', 'Pacific/Auckland', '--json'),
        darkroom('backup', 'copy.db'),
        darkroom('doctor'),
      ])
      expect([usage.code, backup.code, doctor.code, doctor.stderr]).toEqual([0, 0, 0, ''])
      expect(JSON.parse(usage.stdout)).toMatchObject({ totals: { tasks: 1, images: 1 } })
      expect(existsSync(join(cwd, 'copy.db'))).toBe(true)
    } finally {
      server.kill('SIGTERM')
    }
    expect(await ended).toEqual([0, null])
  })

  it('an agent makes an image over stdin and stdout', async () => {
    const dataDir = join(installed.folder, `mcp-${which}`)
    const transport = new StdioClientTransport({
      command: node(),
      args: [binary(), 'mcp', '--data-dir', dataDir],
      env: { ...installed.env, PORT: String(await freePort()) },
      cwd: installed.folder,
      stderr: 'ignore',
    })
    await using agent = await openAgent({ transport })
    const reply = await agent.call('generate_image', { prompt: 'a lighthouse [sandbox:duration=0]' })
    expect(reply.content.map(({ type }) => type)).toEqual(['text', 'image'])
  })

  it.each([
    ['node:http', 'node-http.mjs'],
    ['Hono', 'hono.mjs'],
    ['a route of Next.js', 'next.mjs'],
  ])('the gateway can be mounted in %s', async (_, program) => {
    const { code, stdout, stderr } = await run(node(), [program], {
      cwd: installed.folder,
      env: installed.env,
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({
      id: expect.stringMatching(/^task_/),
      status: 'SUCCEEDED',
      first: 'TaskSnapshot',
      last: 'TaskFinished',
      completed: true,
      image: 'image/png',
      signature: 'PNG',
      ...(program !== 'next.mjs' && { socket: 'TaskFinished' }),
    })
  })
})

describe('the examples', () => {
  it('of Express, a plain page and a Node script run', async () => {
    const { html, modules, script, exitCode } = await runExpressAndScript(installed)
    expect(html).toContain('darkroom.watch(id)')
    expect(modules).toContain('/darkroom-client/websocket.js')
    expect([script.code, script.stderr]).toEqual([0, ''])
    expect(script.stdout).toMatch(
      /^TaskSnapshot [\d.]+\n[^]*TaskFinished 1\nimage\.png, 1024×1024, \d+ micro-USD\n$/,
    )
    expect(exitCode).toBe(0)
  })

  it('of Next.js: the route handlers respond', async () => {
    const cwd = installed.folder
    // The example logs to standard error.
    const { code, stdout } = await run(installed.nodes.current, ['next-example.mjs'], {
      cwd,
      env: installed.env,
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'SUCCEEDED',
      last: 'TaskFinished',
      image: 'image/png',
    })
  })

  it('of Next.js and of docs/react.md compile in strict mode', async () => {
    const cwd = join(installed.folder, 'examples/nextjs')
    const compilerOptions = {
      strict: true,
      noEmit: true,
      jsx: 'react-jsx',
      module: 'esnext',
      moduleResolution: 'bundler',
      target: 'es2024',
      lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: ['node', 'react'],
      skipLibCheck: false,
    }
    await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['app'] }))
    const shown = [...(await readFile('docs/react.md', 'utf8')).matchAll(/^```tsx\n([\s\S]*?)^```$/gm)]
    expect(shown).toHaveLength(1)
    await writeFile(join(cwd, 'app/shown.tsx'), shown[0]?.[1] ?? '')
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const result = await run(process.execPath, [tsc, '-p', cwd, '--pretty', 'false'], { cwd })
    expect(result).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})

it('an older Node gets one sentence about the required version', async () => {
  const { code, stdout, stderr } = await run(installed.nodes.tooOld, [binary(), 'demo'], {
    cwd: installed.folder,
  })
  const version = (await run(installed.nodes.tooOld, ['--version'], { cwd: installed.folder })).stdout
    .trim()
    .slice(1)
  expect([code, stdout]).toEqual([78, ''])
  expect(stderr).toBe(
    `Darkroom needs Node.js 24 or newer, and this is Node.js ${version}: install a current one from https://nodejs.org, ` +
      'or with a version manager ("nvm install 24").\n',
  )
  expect(manifest.engines.node).toBe('>=24')
})

describe('a program', () => {
  it('can require the package from CommonJS', async () => {
    const script = "console.log(Object.keys(require('darkroom')).toSorted().join())"
    const { stdout, stderr } = await run(installed.nodes.oldest, ['--input-type=commonjs', '-e', script], {
      cwd: installed.folder,
    })
    expect([stdout, stderr]).toEqual(['ConfigError,createGateway,loadConfig\n', ''])
  })

  it('compiles in strict mode against the declarations, as in docs/install.md, and gets errors for invalid settings', async () => {
    const cwd = join(installed.folder, 'types')
    await mkdir(cwd)
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2024',
      types: ['node'],
      skipLibCheck: false,
    }
    await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    await writeFile(join(cwd, 'good.ts'), GOOD_PROGRAM)
    const page = await readFile('docs/install.md', 'utf8')
    const shown = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program)
    expect(shown).toHaveLength(4)
    await Promise.all(shown.map((program, index) => writeFile(join(cwd, `shown-${index}.ts`), program)))
    const tsc = (...args: string[]) =>
      run(
        process.execPath,
        [resolve('node_modules/typescript/bin/tsc'), '-p', cwd, '--pretty', 'false', ...args],
        { cwd },
      )
    expect(await tsc()).toEqual({ code: 0, stdout: '', stderr: '' })
    await writeFile(join(cwd, 'bad.ts'), BAD_PROGRAM)
    const { stdout } = await tsc()
    expect([...stdout.matchAll(/^bad\.ts\((\d+)/gm)].map(([, line]) => Number(line))).toEqual([2, 3, 4])
  })
})

const GOOD_PROGRAM = `
import { createServer } from 'node:http'
import { ConfigError, createGateway, loadConfig, type Gateway, type GatewayConfig } from 'darkroom'

const config: GatewayConfig = {
  adminKey: process.env['DARKROOM_ADMIN_KEY'],
  providers: [
    { name: 'openai', dialect: 'openai', apiKey: 'sk-…', models: ['gpt-image-2', { name: 'other', price: null }] },
    { name: 'sandbox', dialect: 'sandbox', durationMs: 0 },
  ],
}
const gateway: Gateway = createGateway({ ...config, log: console, allowAnonymous: true })
createServer(gateway.handle).on('upgrade', gateway.upgrade)
export const GET: (request: Request, context: { params: Promise<unknown> }) => Promise<Response> = gateway.fetch
export async function main(): Promise<string> {
  try {
    await createGateway(await loadConfig()).start()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join()
  }
  const { abortedCalls }: { abortedCalls: number } = await gateway.stop({ signal: AbortSignal.timeout(1) })
  return String(abortedCalls)
}
`

const BAD_PROGRAM = `import { createGateway } from 'darkroom'
createGateway({ prot: 1 })
createGateway({ providers: [{ name: 'a', dialect: 'openai' }] })
createGateway({ engine: { leaseMs: '1' } })
`
