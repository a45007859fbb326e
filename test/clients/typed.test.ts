// Clients that are generated from the schema, or take their types from it: generated, compiled and run.
import { execFile } from 'node:child_process'
import { copyFile, cp, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const run = promisify(execFile)

describe('typed clients', () => {
  let folder: string
  let server: TestGateway

  /** Runs a program of a package, or a compiled one. Throws with its output unless it ends with code 0. */
  async function runNode(...args: string[]): Promise<string> {
    const ended = run(process.execPath, args, { cwd: folder })
    const { stdout } = await ended.catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${args.join(' ')}: ${error.stdout}${error.stderr}`)
    })
    return stdout
  }
  const tool = (path: string, ...args: string[]) => runNode(join('node_modules', path), ...args)
  const compile = (project: string) => tool('typescript/lib/tsc.js', '-p', project)
  const output = async (file: string): Promise<unknown> =>
    JSON.parse(await runNode(file, `${server.url}/graphql`))

  beforeAll(async () => {
    await installClients()
    folder = await mkdtemp(join(tmpdir(), 'darkroom-typed-'))
    await cp(join(CLIENTS_FOLDER, 'programs/typed'), folder, { recursive: true })
    // Under their own name, the linter of this repository would take them for its own.
    for (const project of ['.', 'genql'])
      await rename(join(folder, project, 'compiler.json'), join(folder, project, 'tsconfig.json'))
    await symlink(join(CLIENTS_FOLDER, 'node_modules'), join(folder, 'node_modules'))
    await copyFile('schema.graphql', join(folder, 'schema.graphql'))
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(join(folder, 'genql/package.json'), '{"type":"commonjs"}')
    server = await openGateway()
    for (const prompt of ['a fox', 'a hare']) await server.ended(await server.generate({ prompt }))
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const SUCCEEDED = ['SUCCEEDED', 'SUCCEEDED']

  it('of GraphQL Code Generator and gql.tada compile and run', async () => {
    await Promise.all([
      tool('@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.json'),
      tool('gql.tada/bin/cli.js', 'generate-output'),
    ])
    await compile('.')
    expect(await output('out/codegen.js')).toEqual({ statuses: SUCCEEDED, field: 'first' })
    expect(await output('out/tada.js')).toEqual({ statuses: SUCCEEDED, times: 2 })
  })

  it('of genql compile and run', async () => {
    await tool('@genql/cli/dist/cli.js', '--schema', 'schema.graphql', '--output', 'genql/client', '--esm')
    await compile('genql')
    expect(await output('genql/run.js')).toEqual({ statuses: SUCCEEDED })
  })
})
