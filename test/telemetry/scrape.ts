// Reads /metrics as Prometheus does.
import { expect } from 'vitest'

/** Samples by name and labels. */
export async function scrape({ url }: { url: string }): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

/** Throws with the other samples of the metric. */
export function sampleOf(samples: Map<string, number>, name: string): number {
  const value = samples.get(name)
  if (value !== undefined) return value
  const metric = name.split('{', 1)[0] ?? name
  throw new Error(
    `There is no ${name}; there is ${[...samples.keys()].filter((key) => key.startsWith(metric)).join(', ') || 'nothing like it'}.`,
  )
}
