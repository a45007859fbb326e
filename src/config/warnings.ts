import { parseS3Url } from '../assets/s3/settings.ts'
import type { Provider } from '../providers/provider.ts'
import { isLoopback } from './setting-checks.ts'
import type { ConfigSettings } from './shape.ts'

const USUAL_MAX_CALL_MS = 240_000

type Setup = Pick<
  ConfigSettings,
  'publicUrl' | 'engine' | 'persistedQueries' | 'persistedQueriesFile' | 'assetsUrl' | 'assetsDelivery'
> & {
  providers: readonly Provider[]
}

export function findWarnings(setup: Setup): string[] {
  return [callbackWarning(setup), drainWarning(setup), listWarning(setup), redirectWarning(setup)].filter(
    (warning) => warning !== undefined,
  )
}

function callbackWarning({ publicUrl, providers }: Setup): string | undefined {
  const callers = providers.filter(({ traits, loopback }) => !loopback && traits.modes.includes('CALLBACK'))
  if (publicUrl === null || callers.length === 0) return undefined
  const { protocol, hostname } = new URL(publicUrl)
  if (isLoopback(hostname))
    return `PUBLIC_URL is "${publicUrl}", which ${namesOf(callers)} cannot reach: results are polled for, which takes longer.`
  if (protocol === 'https:') return undefined
  return `PUBLIC_URL is "${publicUrl}", so callbacks of ${namesOf(callers)} are not encrypted: others on the network can forge them. Use https.`
}

/** Polling resumes after a restart. Calls that wait for a response are lost, but charged. */
function drainWarning({ engine: { drainTimeoutMs }, providers }: Setup): string | undefined {
  const aborted = providers.filter(
    ({ traits: { modes }, timeoutMs }) =>
      (modes[0] === 'SYNC' || modes[0] === 'STREAM') &&
      drainTimeoutMs < Math.min(timeoutMs, USUAL_MAX_CALL_MS),
  )
  if (aborted.length === 0) return undefined
  return `engine.drainTimeoutMs is ${drainTimeoutMs}, but a call to ${namesOf(aborted)} may take ${USUAL_MAX_CALL_MS}: a shutdown aborts calls that are still charged.`
}

function listWarning({ persistedQueries, persistedQueriesFile: file }: Setup): string | undefined {
  if (file === null || persistedQueries === 'allow-list') return undefined
  return `persistedQueriesFile has no effect, because persistedQueries is "${persistedQueries}".`
}

function redirectWarning({ assetsUrl, assetsDelivery, publicUrl }: Setup): string | undefined {
  if (assetsUrl === null || assetsDelivery !== 'redirect' || publicUrl === null) return undefined
  const { endpoint, publicEndpoint } = parseS3Url(assetsUrl)
  const to = publicEndpoint ?? endpoint
  if (to === null || isLoopback(new URL(publicUrl).hostname) || !isInternal(new URL(to).hostname))
    return undefined
  return `Images are delivered by redirects to ${to}, which browsers probably cannot reach: set publicEndpoint in ASSETS_URL.`
}

/** A loopback or private address, or a name without a dot. */
function isInternal(host: string): boolean {
  return isLoopback(host) || !/[.:]/.test(host) || /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(host)
}

function namesOf(providers: readonly Provider[]): string {
  return providers.map(({ name }) => `\`${name}\``).join(' and ')
}
