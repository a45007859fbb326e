// Random values, valid and invalid.
import type { Random } from '../support/random.ts'

/** Texts that often break programs: lengths, alphabets, paths, numbers, and our own formats. */
const TEXTS: readonly ((random: Random) => string)[] = [
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
  (random) => 'x'.repeat(Math.floor(random.between(1, 5_000))),
  (random) =>
    String.fromCodePoint(...Array.from({ length: 20 }, () => Math.floor(random.between(0, 0xd7ff)))),
]

export function randomText(random: Random): string {
  return random.pick(TEXTS)(random)
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

export function randomNumber(random: Random): number {
  return random.pick(NUMBERS)
}

/** JSON of any shape, at most `depth` deep. */
export function randomJson(random: Random, depth = 4): unknown {
  const kind = random.next()
  if (depth > 0 && kind < 0.15)
    return Array.from({ length: size(random) }, () => randomJson(random, depth - 1))
  if (depth > 0 && kind < 0.35)
    return Object.fromEntries(
      Array.from({ length: size(random) }, () => [
        randomText(random).slice(0, 40),
        randomJson(random, depth - 1),
      ]),
    )
  if (kind < 0.6) return randomText(random)
  if (kind < 0.8) return randomNumber(random)
  return random.pick([null, true, false])
}

function size(random: Random): number {
  return Math.floor(random.between(0, 4))
}

/** A text with a few of its characters removed, repeated or replaced. */
export function corrupt(random: Random, text: string): string {
  let corrupted = text
  for (let times = Math.ceil(random.between(0, 4)); times > 0; times--) {
    const at = Math.floor(random.between(0, corrupted.length))
    const end = at + Math.floor(random.between(0, 6))
    const instead = random.pick([
      '',
      corrupted.slice(at, end).repeat(2),
      '"',
      '}',
      '{',
      '\0',
      '$',
      '...',
      randomText(random).slice(0, 50),
    ])
    corrupted = corrupted.slice(0, at) + instead + corrupted.slice(end)
  }
  return corrupted
}
