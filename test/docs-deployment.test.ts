// Dockerfile, compose.yaml and the Kubernetes manifest are not run: there is no container engine. Their variables are compared
// with those that the server reads.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { VARIABLES } from '../src/config/environment.ts'
import { readTables } from './docs/tables.ts'
import { readBlocks } from './story/page.ts'

const text = (path: string) => readFileSync(path, 'utf8')
/** As docs/configuration.md lists them, which another test compares with the source. */
const KNOWN = new Set([
  ...Object.values<string>(VARIABLES),
  ...readTables(text('docs/configuration.md')).flatMap(({ rows }) =>
    rows.flatMap((row) => [...(row['variables'] ?? '').matchAll(/[A-Z_]{4,}/g)].map(([name]) => name)),
  ),
])
const manifest =
  readBlocks(text('docs/operating.md')).find(({ text: block }) => block.includes('kind: Deployment'))?.text ??
  ''

function namesIn(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map(([, name = '']) => name)
}

describe.each([
  {
    file: 'compose.yaml',
    names: namesIn(text('compose.yaml').split('  database:')[0] ?? '', /^ {6}([A-Z_]+):/gm),
  },
  {
    file: 'the Kubernetes manifest',
    names: namesIn(manifest, /(?:name: |^ {2})([A-Z_]{4,})\b/gm),
  },
])('$file', ({ names }) => {
  it('sets only variables that the server reads', () => {
    expect(names.filter((name) => !KNOWN.has(name))).toEqual([])
  })

  it('describes a deployment on a network: with keys, a public URL, proxies and front ends', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        'DARKROOM_ADMIN_KEY',
        'PUBLIC_URL',
        'DATABASE_URL',
        'CORS_ORIGINS',
        'TRUSTED_PROXIES',
      ]),
    )
  })
})

it('the image listens on all addresses, where the server requires a key', () => {
  expect(text('Dockerfile')).toContain('HOST=0.0.0.0')
  expect(
    namesIn(text('Dockerfile'), /(?:ENV | )([A-Z_]{4,})=/g).filter((name) => name !== 'NODE_ENV'),
  ).toEqual(expect.arrayContaining(['HOST', 'DATA_DIR']))
})

it.each(['Dockerfile', 'compose.yaml', 'docs/operating.md', 'docs/install.md'])(
  '%s says that it was not run',
  (page) => {
    expect(text(page)).toMatch(/not run|Not run|Neither was run|Not built by the tests/i)
  },
)
