// Values that somebody might send, and some that nobody should.
import type { Chance } from '../storm/chance.ts'

/** Texts that break something somewhere: lengths, alphabets, paths, numbers, formats of our own. */
const TEXTS: readonly ((chance: Chance) => string)[] = [
  () => '',
  () => ' \n\t',
  () => 'a red fox',
  () => 'a\0b',
  () => '\ud800',
  () => '\u202e\ufeff🦊',
  () => '%00%ff%%%',
  () => '../../etc/passwd',
  () => "' or 1=1 --",
  () => '${jndi:ldap://127.0.0.1/x}',
  () => '{"$ne":null}',
  () => '__proto__',
  () => 'task_01K00000000000000000000000',
  () => 'att_01K00000000000000000000000',
  () => 'img_01K00000000000000000000000',
  () => Buffer.from('task:task_01K00000000000000000000000:9007199254740993').toString('base64url'),
  () => Buffer.from('9999999999999999:task_01K00000000000000000000000').toString('base64url'),
  () => '1024x1024',
  () => '99999999999x1',
  () => 'data:image/png;base64,AAAA',
  () => 'https://127.0.0.1/x.png',
  () => 'http://[::1]:9/',
  () => '2026-11-20T00:00:00Z',
  () => '+275760-09-13T00:00:00.001Z',
  (chance) => 'x'.repeat(Math.floor(chance.between(1, 5_000))),
  (chance) =>
    String.fromCodePoint(...Array.from({ length: 20 }, () => Math.floor(chance.between(0, 0xd7ff)))),
]

export function anyText(chance: Chance): string {
  return chance.pick(TEXTS)(chance)
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  100,
  101,
  0.5,
  1e21,
  -1e21,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 53,
  Number.MAX_VALUE,
]

export function anyNumber(chance: Chance): number {
  return chance.pick(NUMBERS)
}

/** JSON of any shape, not too deep. */
export function anyJson(chance: Chance, depth = 4): unknown {
  const kind = chance.next()
  if (depth > 0 && kind < 0.15) return Array.from({ length: size(chance) }, () => anyJson(chance, depth - 1))
  if (depth > 0 && kind < 0.35)
    return Object.fromEntries(
      Array.from({ length: size(chance) }, () => [anyText(chance).slice(0, 40), anyJson(chance, depth - 1)]),
    )
  if (kind < 0.6) return anyText(chance)
  if (kind < 0.8) return anyNumber(chance)
  return chance.pick([null, true, false])
}

function size(chance: Chance): number {
  return Math.floor(chance.between(0, 4))
}

/** The same text with a few of its characters lost, doubled or replaced. */
export function spoil(chance: Chance, text: string): string {
  let spoilt = text
  for (let times = Math.ceil(chance.between(0, 4)); times > 0; times--) {
    const at = Math.floor(chance.between(0, spoilt.length))
    const end = at + Math.floor(chance.between(0, 6))
    const instead = chance.pick([
      '',
      spoilt.slice(at, end).repeat(2),
      '"',
      '}',
      '{',
      '\0',
      '$',
      '...',
      anyText(chance).slice(0, 50),
    ])
    spoilt = spoilt.slice(0, at) + instead + spoilt.slice(end)
  }
  return spoilt
}
