// What a page has to load.
import { globSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'

const KB = 1024

/** The size of a minified bundle for browsers, compressed. */
async function bundledBytes(entry: string, external: (id: string) => boolean = () => false): Promise<number> {
  const bundle = await rolldown({
    input: entry,
    platform: 'browser',
    logLevel: 'silent',
    external: (id, importer) => importer !== undefined && external(id),
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false })
  await bundle.close()
  return gzipSync(output[0].code).length
}

describe('the bundle of', () => {
  it('darkroom/client has at most 12 KB', async () => {
    const bytes = await bundledBytes('client/index.ts')
    expect(bytes).toBeGreaterThan(2 * KB)
    expect(bytes).toBeLessThanOrEqual(12 * KB)
  })

  it('darkroom/react has at most 3 KB besides the client and React', async () => {
    const bytes = await bundledBytes('client/react/index.ts', (id) => id === 'react')
    const client = await bundledBytes('client/srcset.ts')
    expect(bytes - client).toBeGreaterThan(1 * KB)
    expect(bytes - client).toBeLessThanOrEqual(3 * KB)
  })
})

describe('the client', () => {
  it('imports no package, and its hooks only React and the reader of placeholders', () => {
    expect(globSync('client/*.ts').length).toBeGreaterThan(10)
    expect(imports('client/*.ts')).toEqual([])
    expect(new Set(imports('client/react/*.ts'))).toEqual(new Set(['react', 'thumbhash']))
  })
})

function imports(pattern: string): (string | undefined)[] {
  return globSync(pattern).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/^(?:import|export)[^']*from '([^'.][^']*)'/gm)].map(
      ([, name]) => name,
    ),
  )
}
