// Started once for a whole test run; each test that wants a PostgreSQL makes a database of its own in it.
import type { TestProject } from 'vitest/node'
import { startPostgresql } from './postgresql-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresqlUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresql()
  project.provide('postgresqlUrl', server.url)
  return () => server.stop()
}
