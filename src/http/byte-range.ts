/** Bytes `start` to `end`, both inclusive. */
interface ByteRange {
  start: number
  end: number
}

/**
 * What a Range header asks for, by https://www.rfc-editor.org/rfc/rfc9110#section-14: `all` without one and for every
 * form that a server may ignore (another unit, several ranges, bad syntax), `none` when it lies behind the end.
 */
export function readByteRange(header: string | null, byteSize: number): ByteRange | 'all' | 'none' {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '')
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? '']
  if (first === '' && last === '') return 'all'
  if (first === '') return lastBytes(Number(last), byteSize)
  const start = Number(first)
  const end = last === '' ? byteSize - 1 : Math.min(Number(last), byteSize - 1)
  if (last !== '' && Number(last) < start) return 'all'
  return start < byteSize ? { start, end } : 'none'
}

function lastBytes(count: number, byteSize: number): ByteRange | 'none' {
  if (count === 0 || byteSize === 0) return 'none'
  return { start: Math.max(0, byteSize - count), end: byteSize - 1 }
}
