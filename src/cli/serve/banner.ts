import { parseS3Url } from '../../assets/s3/settings.ts'
import type { Config } from '../../config/config.ts'
import { wrap } from '../format.ts'
import type { Paint } from '../screen.ts'
import { indented, renderFacts } from '../table.ts'

export function banner(
  server: { url: string; isOpen: boolean; config: Config; version: string },
  paint: Paint,
): string {
  const { url, isOpen, config, version } = server
  const { host, publicUrl, providers, assetsUrl } = config
  const isWildcard = host === '0.0.0.0' || host === '::'
  const linkTo = (path: string) => ({ text: new URL(path, url).href, format: ['cyan', 'underline'] }) as const
  const rows = [
    ...(config.dashboard ? [['Dashboard', linkTo('/')] as const] : []),
    ['GraphiQL', linkTo('/graphql')],
    ...(isWildcard ? [['Listening', `${host}: all addresses of this machine`] as const] : []),
    ...(publicUrl === null ? [] : [['Public URL', publicUrl] as const]),
    ['Database', databaseText(config)],
    ...(assetsUrl === null ? [] : [['Images', bucketText(assetsUrl)] as const]),
    ...providers.flatMap(providerLines).map((line, nth) => [nth === 0 ? 'Providers' : '', line] as const),
    ['Access', isOpen ? openText(config) : 'API key required; `darkroom keys` creates and revokes keys'],
  ] as const
  const title = `${paint(['bold', 'red'], 'Darkroom')} ${version}`
  return `\n  ${title}\n\n${indented(renderFacts(rows, paint))}\n  ${paint('dim', 'Press Ctrl-C to stop.')}\n\n`
}

function providerLines({ name, dialect, offers }: Config['providers'][number]): string[] {
  const account = name === dialect ? name : `${name} (${dialect})`
  return wrap(`${account}: ${offers.map(({ model }) => model).join(', ')}`, 84)
}

function openText({ publicUrl }: Config): string {
  const who = publicUrl === null ? 'only this machine can connect' : `every client of ${publicUrl} has access`
  return `no API key required: there is none yet, and ${who}`
}

/** Without user and password. */
function databaseText({ databaseUrl, dataDir }: Config): string {
  if (databaseUrl === null) return `SQLite in ${dataDir}`
  const { host, pathname } = new URL(databaseUrl)
  return `PostgreSQL at ${host}${pathname}`
}

function bucketText(assetsUrl: string): string {
  const { bucket, prefix, endpoint } = parseS3Url(assetsUrl)
  return `bucket ${bucket}${prefix && `/${prefix}`}${endpoint === null ? '' : ` at ${endpoint}`}`
}
