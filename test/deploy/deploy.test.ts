// Deployment files against the schemas of Kubernetes and a linter of Dockerfiles, and the container's commands without a
// container: as an unprivileged user that can write to the data folder only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { VARIABLES } from '../../src/config/environment.ts'
import { installPackages } from '../support/client-packages.ts'
import { freePort } from '../support/free-port.ts'

const FOLDER = import.meta.dirname
const ROOT = resolve(FOLDER, '../..')
const KUBERNETES = join(ROOT, 'deploy/kubernetes')
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

interface Manifest<Spec = unknown> {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: Spec
  data?: Record<string, string>
}
interface Selector {
  matchLabels: unknown
}
interface Container {
  ports: [{ containerPort: unknown }]
  env: { name: string }[]
  securityContext: unknown
  readinessProbe: { periodSeconds: number; failureThreshold: number }
}
interface StatefulSet {
  selector: Selector
  template: {
    metadata: { labels: unknown }
    spec: { securityContext: unknown; containers: [Container]; terminationGracePeriodSeconds: number }
  }
}
interface Scaler {
  scaleTargetRef: { name: string }
  metrics: [{ external: { metric: { name: string } } }]
}
interface Service {
  image?: string
  command?: string[]
  environment: Record<string, string>
  volumes?: string[]
  depends_on?: Record<string, unknown>
}
interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
interface Linter {
  validate(dockerfile: string): { message: string }[]
}
interface Yaml {
  parseAllDocuments(text: string): { errors: unknown[]; toJS(): unknown }[]
}

const resolvePackage = (name: string) => createRequire(join(FOLDER, 'package.json')).resolve(name)
const load = async <Module>(file: string): Promise<Module> =>
  (await import(pathToFileURL(file).href)) as Module

let yaml: Yaml
beforeAll(async () => {
  await installPackages(FOLDER)
  yaml = await load<Yaml>(resolvePackage('yaml'))
}, 120_000)

function read<Document>(source: string): Document[] {
  return yaml.parseAllDocuments(source).map((document) => {
    expect(document.errors).toEqual([])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the files are written; the schemas validate them
    return document.toJS() as Document
  })
}

const manifests = (): Manifest[] =>
  readdirSync(KUBERNETES)
    .filter((name) => name !== 'kustomization.yaml')
    .flatMap((name) => read<Manifest>(text(`deploy/kubernetes/${name}`)))

const find = <Spec>(kind: string) => manifests().find((one) => one.kind === kind)! as Manifest<Spec>
const containerOf = ({ spec }: Manifest<StatefulSet>) => spec.template.spec.containers[0]

/** Problems of a manifest by the schema of its kind. */
async function problemsOf(one: Manifest): Promise<string[]> {
  const { [one.kind]: Model } = await load<Record<string, new (data: Manifest) => { validate(): void }>>(
    // Its exports are for `import` only.
    join(FOLDER, 'node_modules/kubernetes-models', one.apiVersion, `${one.kind}.js`),
  )
  try {
    new Model!(one).validate()
    return []
  } catch (error) {
    return [`${one.kind} ${one.metadata.name}: ${String(error)}`]
  }
}

describe('the Kustomize base', () => {
  it('lists every manifest, and each is valid by the schema of its kind', async () => {
    const [kustomization] = read<{ resources: string[]; images: unknown }>(
      text('deploy/kubernetes/kustomization.yaml'),
    )
    expect([...kustomization!.resources, 'kustomization.yaml'].toSorted()).toEqual(
      readdirSync(KUBERNETES).toSorted(),
    )
    expect(kustomization!.images).toEqual([{ name: 'darkroom', newTag: manifest.version }])
    const problems = await Promise.all(manifests().map(problemsOf))
    expect(problems.flat()).toEqual([])
    const wrong = find<StatefulSet>('StatefulSet')
    containerOf(wrong).ports[0].containerPort = 'http'
    expect(await problemsOf(wrong)).toHaveLength(1)
  })

  it('runs as an unprivileged user on a read-only file system, and may stop for as long as calls take', () => {
    const set = find<StatefulSet>('StatefulSet')
    const { spec } = set.spec.template
    const container = containerOf(set)
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const config: { engine: { shutdownDelayMs: number; drainTimeoutMs: number } } = JSON.parse(
      find('ConfigMap').data!['darkroom.config.json']!,
    )
    const { engine } = config
    const { readinessProbe } = container
    const stopsMs = engine.shutdownDelayMs + engine.drainTimeoutMs
    expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(stopsMs + 30_000)
    // The Service has noticed before requests are refused.
    expect(engine.shutdownDelayMs).toBeGreaterThan(
      readinessProbe.periodSeconds * readinessProbe.failureThreshold * 1000,
    )
  })

  it('selects the pods everywhere, keeps one disruption at a time, and scales on queue depth', () => {
    const labels = { 'app.kubernetes.io/name': 'darkroom' }
    const set = find<StatefulSet>('StatefulSet')
    const budget = find('PodDisruptionBudget')
    const scaler = find<Scaler>('HorizontalPodAutoscaler')
    expect(set.spec.template.metadata.labels).toEqual(labels)
    expect(set.spec.selector.matchLabels).toEqual(labels)
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } })
    const services = manifests().filter(({ kind }) => kind === 'Service')
    expect(services.map(({ spec }) => spec)).toMatchObject([{ selector: labels }, { selector: labels }])
    expect(scaler.spec.scaleTargetRef.name).toBe(set.metadata.name)
    const { name } = scaler.spec.metrics[0].external.metric
    expect(text('docs/observability.md')).toContain(`\`${name}\``)
  })

  it('sets only variables that the server reads, each with a value in the ConfigMap', () => {
    const names = containerOf(find<StatefulSet>('StatefulSet')).env.map(({ name }) => name)
    expect(names.toSorted()).toEqual(
      Object.keys(find('ConfigMap').data!)
        .filter((key) => !key.includes('.'))
        .toSorted(),
    )
    expect(names.filter((name) => !KNOWN.has(name))).toEqual([])
  })
})

const KNOWN = new Set([...Object.values<string>(VARIABLES), 'DARKROOM_CONFIG'])

describe('the compose files', () => {
  it('have a second host, PostgreSQL and an S3 server, whose bucket exists before the hosts start', () => {
    const [own] = read<Compose>(text('compose.yaml'))
    const [more] = read<Compose>(text('compose.s3.yaml').replaceAll('!override', ''))
    const services = { ...own!.services, ...more!.services }
    const all = Object.values(services)
    const needed = all.flatMap(({ depends_on: needs = {} }) => Object.keys(needs))
    expect(Object.keys(services)).toEqual(expect.arrayContaining(needed))
    expect(Object.keys(more!.services['darkroom']?.depends_on ?? {})).toEqual(['database', 'bucket'])
    const url = new URL(more!.services['darkroom-2']?.environment['ASSETS_URL'] ?? '')
    expect(url.searchParams.get('endpoint')).toBe('http://store:8333')
    expect(more!.services['bucket']?.command?.join(' ')).toContain(`http://store:8333/${url.hostname}`)
    const mounted = all.flatMap(({ volumes = [] }) => volumes.map((mount) => mount.split(':')[0]))
    expect(Object.keys({ ...own!.volumes, ...more!.volumes })).toEqual(expect.arrayContaining(mounted))
    const images = all.flatMap(({ image }) => image ?? [])
    expect(images.filter((image) => !/:[\w.-]*\d/.test(image))).toEqual([])
  })
})

/** The arguments of an instruction in its JSON form. */
function commandOf(instruction: string): string[] {
  const found = new RegExp(`^${instruction} (?:.*\\n? *CMD )?(\\[.*\\])$`, 'm').exec(
    text('Dockerfile').replaceAll('\\\n', ' '),
  )
  return JSON.parse(found?.[1] ?? '[]')
}

describe('the Dockerfile', () => {
  it('has no finding of a linter, and ends as an unprivileged user with a health check', async () => {
    const linter = await load<Linter>(resolvePackage('dockerfile-utils'))
    expect(linter.validate(text('Dockerfile')).map(({ message }) => message)).toEqual([])
    expect(linter.validate('FRM node\nCMD node')).not.toEqual([])
    const lines = text('Dockerfile').split('\n')
    const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    expect(stage).toContain('USER node')
    expect(stage.findIndex((line) => line === 'USER node')).toBeLessThan(
      stage.findIndex((line) => line.startsWith('CMD ')),
    )
    expect(lines.filter((line) => /^FROM .*(?::latest|^[^:]+$)/.test(line))).toEqual([])
    expect(text('Dockerfile')).not.toMatch(/^ADD |--no-verify|curl .*\| *sh/m)
  })

  it('starts, is healthy by its own check and stops with 0, where only the data folder can be written to', async () => {
    const data = mkdtempSync(join(tmpdir(), 'darkroom-image-'))
    onTestFinished(() => rmSync(data, { recursive: true, force: true }))
    const isRoot = process.getuid?.() === 0
    // Another user, for whom the sources and the home folder are read-only.
    const user = isRoot ? { uid: 65534, gid: 65534 } : {}
    if (isRoot) chownSync(data, 65534, 65534)
    chmodSync(data, 0o700)
    const port = String(await freePort())
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      DATA_DIR: data,
      PORT: port,
      HOME: '/nonexistent',
      TMPDIR: data,
      DARKROOM_ADMIN_KEY: 'an-operator-key-of-32-characters',
    }
    const [, program = '', ...args] = commandOf('CMD')
    expect(program).toBe('node_modules/darkroom/bin/darkroom.js')
    // The sources are started instead of the built package, which test/package installs.
    const server = spawn(process.execPath, [join(ROOT, 'src/cli.ts'), ...args], { env, ...user, cwd: data })
    const ended = once(server, 'exit')
    let output = ''
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const [, ...check] = commandOf('HEALTHCHECK')
    const isHealthy = async () => {
      const probe = spawn(process.execPath, check, { env, ...user, cwd: data })
      return (await once(probe, 'exit'))[0] === 0
    }
    expect(check[0]).toBe('-e')
    await expect.poll(isHealthy, { timeout: 30_000, interval: 500 }).toBe(true)
    server.kill('SIGTERM')
    expect([...(await ended), output]).toEqual([0, null, expect.stringContaining('Stopped.')])
    expect(await isHealthy()).toBe(false)
  })
})
