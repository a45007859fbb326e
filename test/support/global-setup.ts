// Runs once, before all tests: bundles of child processes, a PostgreSQL server, and on each kind of database a migrated
// template that tests copy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import { bundleEntries } from './bundle.ts'
import { describeTemplate, runOn, urlOf, type Template } from './postgresql-databases.ts'
import { startPostgresql } from './postgresql-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresqlUrl: string
    /** A database on that server. */
    postgresqlTemplate: Template
    /** The path of a file. */
    sqliteTemplate: string
  }
}

const TEMPLATE = 'migrated'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-templates-'))
  const [server] = await Promise.all([startPostgresql({ durable: false }), bundleEntries()])
  await runOn(server.url, `create database ${TEMPLATE}`)
  for (const databaseUrl of [null, urlOf(server.url, TEMPLATE)]) {
    const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
    await db.close()
  }
  project.provide('postgresqlUrl', server.url)
  project.provide('postgresqlTemplate', await describeTemplate(server.url, TEMPLATE))
  project.provide('sqliteTemplate', join(dataDir, 'darkroom.db'))
  return async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
