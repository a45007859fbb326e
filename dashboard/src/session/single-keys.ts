// Whether shortcuts of one character are on (WCAG 2.1.4).
const STORED = 'darkroom-single-keys'

export function hasSingleKeys(): boolean {
  return localStorage.getItem(STORED) !== 'off'
}

export function setSingleKeys(isOn: boolean): void {
  localStorage.setItem(STORED, isOn ? 'on' : 'off')
}
