import type { Paint } from './screen.ts'

/** Rows under their heads, each column as wide as it needs. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()
  return [paint('dim', line(heads)), ...rows.map(line)].map((text) => `${text}\n`).join('')
}
