import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMetrics, collectProcessMetrics } from '../../src/metrics.ts'

const PAGE = readFileSync('docs/observability.md', 'utf8')
const DEPLOYED = ['deploy/alerts.yaml', 'deploy/grafana-dashboard.json']

const METRIC = z.object({ name: z.string(), help: z.string(), labelNames: z.array(z.string()) })

const all = createMetrics()
collectProcessMetrics(all)
const types = new Map((await all.registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]))
const every = all.registry.getMetricsAsArray().map((metric) => METRIC.parse({ ...metric }))
const metrics = every.filter(({ name }) => name.startsWith('darkroom_'))

/** Every name that a query may use; a histogram has three. */
function namesOf(): Map<string, string[]> {
  return new Map(
    every.flatMap(({ name, labelNames }) => {
      if (types.get(name) !== 'histogram') return [[name, labelNames] as const]
      return ['_bucket', '_sum', '_count'].map((end) => [`${name}${end}`, [...labelNames, 'le']] as const)
    }),
  )
}

describe('docs/observability.md', () => {
  it('lists every metric with type, labels and help', () => {
    const rows = [...PAGE.matchAll(/^\| `(darkroom_\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$/gm)]
    expect(
      rows.map(([, name, type, labels = '', help]) => ({
        name,
        type,
        labelNames: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
        help,
      })),
    ).toEqual(metrics.map((metric) => ({ ...metric, type: types.get(metric.name) })))
    expect(rows.length).toBeGreaterThan(30)
  })

  it('names only metrics that exist', () => {
    const named = [...PAGE.matchAll(/`((?:darkroom|process|nodejs)_\w+)`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !types.has(name))).toEqual([])
  })
})

describe('metrics', () => {
  it('follow the naming conventions of Prometheus', () => {
    const counters = metrics.filter(({ name }) => name.endsWith('_total'))
    expect(counters).toEqual(metrics.filter(({ name }) => types.get(name) === 'counter'))
    for (const { name } of metrics) {
      expect(name).toMatch(/^darkroom_[a-z]+(?:_[a-z]+)*$/)
      expect(name).not.toMatch(/_(?:ms|milliseconds|kb|count|sum|bucket)(?:_|$)/)
    }
  })

  it('have a help text', () => {
    expect(metrics.filter(({ help }) => !/^[A-Z1].{30,}\.$/.test(help))).toEqual([])
  })
})

describe.each(DEPLOYED)('%s', (file) => {
  const text = readFileSync(file, 'utf8')
  const used = [...text.matchAll(/\b(?:darkroom|nodejs|process)_\w+/g)].map(([name]) => name)

  it('uses only existing metrics', () => {
    const known = namesOf()
    expect(used.length).toBeGreaterThan(10)
    expect(used.filter((name) => !known.has(name))).toEqual([])
  })

  it('uses only existing labels', () => {
    const known = namesOf()
    const usedLabels = [...text.matchAll(/\b(darkroom_\w+)\{([^}]*)\}/g)].flatMap(
      ([, name = '', labels = '']) =>
        [...labels.matchAll(/(\w+)=~?/g)].map(([, label = '']) => ({ name, label })),
    )
    const usual = ['job', 'instance']
    expect(
      usedLabels.filter(({ name, label }) => !usual.includes(label) && !known.get(name)?.includes(label)),
    ).toEqual([])
    const groups = [...text.matchAll(/\bby \(([^)]*)\)[^a-z]*(?:rate\(|increase\()?(darkroom_\w+)/g)]
    expect(groups.length).toBeGreaterThan(2)
    for (const [, by = '', name = ''] of groups) {
      const labels = by.split(',').map((label) => label.trim())
      const has = new Set([...(known.get(name) ?? []), ...usual])
      expect({ name, unknown: labels.filter((label) => !has.has(label)) }).toEqual({ name, unknown: [] })
    }
  })
})

it('the dashboard shows every metric except those for alerts', () => {
  const text = readFileSync('deploy/grafana-dashboard.json', 'utf8')
  const missing = metrics.map(({ name }) => name).filter((name) => !text.includes(name))
  // Used by alerts.
  expect(missing).toEqual([
    'darkroom_attempts_unknown_oldest_seconds',
    'darkroom_attempts_unknown_unpriced',
    'darkroom_webhook_oldest_pending_seconds',
  ])
})

it('an alert fires for an outcome that is unknown for fifteen minutes', () => {
  const text = readFileSync('deploy/alerts.yaml', 'utf8')
  expect(text).toMatch(/expr: max by \(provider\) \(darkroom_attempts_unknown\) > 0\n\s+for: 15m/)
})
