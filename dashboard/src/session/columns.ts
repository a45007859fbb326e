// Columns of the table of Live, kept in this browser.
const STORED = 'darkroom-columns'

/** Undefined if the user chose none. */
export function readColumns(): string[] | undefined {
  return localStorage.getItem(STORED)?.split(' ')
}

export function setColumns(names: readonly string[]): void {
  localStorage.setItem(STORED, names.join(' '))
}
