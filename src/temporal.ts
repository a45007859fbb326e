/** Temporal (tc39.es/proposal-temporal), which Node has from version 26 on. Where it is missing, a polyfill takes its place. */
export const Temporal: typeof globalThis.Temporal =
  'Temporal' in globalThis ? globalThis.Temporal : (await import('temporal-polyfill')).Temporal
