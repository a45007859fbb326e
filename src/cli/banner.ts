import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Paint } from './screen.ts'
import { indented, renderFacts } from './table.ts'

/** What `darkroom serve` says once it listens: where to look, and what it runs on. */
export function banner(
  server: { url: string; isOpen: boolean; config: Config; version: string },
  paint: Paint,
): string {
  const { url, isOpen, config, version } = server
  const [first, ...others] = config.providers.map(
    ({ name, dialect, offers }) =>
      `${name}${name === dialect ? '' : ` (${dialect})`}: ${offers.map(({ model }) => model).join(', ')}`,
  )
  const rows = [
    ['GraphiQL', { text: new URL('/graphql', url).href, format: ['cyan', 'underline'] }],
    ['Database', databaseText(config)],
    ['Providers', first ?? ''],
    ...others.map((text) => ['', text] as const),
    ['Access', isOpen ? openText(config) : 'with an API key; `darkroom keys` makes and revokes them'],
  ] as const
  const title = `${paint(['bold', 'red'], 'Darkroom')} ${version}`
  const facts = indented(renderFacts(rows, paint))
  return `\n  ${title}\n\n${facts}\n  ${paint('dim', 'Ctrl-C to stop')}\n\n`
}

function openText({ publicUrl }: Config): string {
  const who = publicUrl === null ? 'only this machine can connect' : `${publicUrl} lets in whom you trust`
  return `open: no API key needed, because there are none yet and ${who}`
}

/** Never with the user or the password. */
function databaseText({ databaseUrl, dataDir }: Config): string {
  if (databaseUrl === null) return `SQLite in ${join(dataDir)}`
  const { host, pathname } = new URL(databaseUrl)
  return `PostgreSQL at ${host}${pathname}`
}
