import { describe, expect, it } from 'vitest'
import { readBillFile, readColumnMap } from '../../src/cli/bills/file.ts'
import { MalformedCsv, parseCsv } from '../../src/csv.ts'

const read = (text: string, map?: string) => readBillFile(text, false, readColumnMap(map))
const readJson = (value: unknown) =>
  readBillFile(typeof value === 'string' ? value : JSON.stringify(value), true, readColumnMap(undefined))

describe('a bill as CSV', () => {
  it('has columns by their usual names, in any case and order', () => {
    expect(
      read(
        'Cost USD,Created At,Request-ID\r\n"$1,234.50",2026-11-20 08:00:00,req-1\r\n-0.000001,1795000000,req-2\r\n',
      ),
    ).toEqual([
      { amountMicros: 1_234_500_000, requestId: 'req-1', at: '2026-11-20T08:00:00.000Z' },
      { amountMicros: -1, requestId: 'req-2', at: '2026-11-18T11:06:40.000Z' },
    ])
  })

  it('has mapped columns of any name', () => {
    expect(read('Ref,Total\na,0.25\n', 'attempt_id=Ref,amount_usd=Total')).toEqual([
      { amountMicros: 250_000, attemptId: 'a' },
    ])
  })

  it('rounds an amount with more than six decimals', () => {
    expect(
      read('remote_id,amount\nj,0.0411605\nj,0.00000049\n').map(({ amountMicros }) => amountMicros),
    ).toEqual([41_161, 0])
  })

  it.each([
    ['without an amount column', 'attempt_id\na\n', 'No column has the amount'],
    ['with an amount that is no number', 'attempt_id,amount\na,1.2.3\n', 'Line 2: the amount is "1.2.3"'],
    ['with a fraction of a micro-USD', 'attempt_id,amount_micros\na,1.5\n', 'Line 2: the amount is "1.5"'],
    ['with neither id nor time', 'attempt_id,amount\n,1\n', 'Line 2: it has neither an id nor a time'],
    ['in another currency', 'attempt_id,amount,currency\na,1,EUR\n', 'Line 2: the currency is "EUR"'],
    ['with a time that is none', 'at,amount\nyesterday,1\n', 'Line 2: the time is "yesterday"'],
    ['with a short record', 'attempt_id,amount\na\n', 'Line 2: the record has 1 cells; the first one has 2'],
    ['with an open quote', 'attempt_id,amount\n"a,1\n', 'Line 2: a quote is missing or misplaced'],
  ])('is refused %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  it('is refused with a mapped column that does not exist, or an unknown field', () => {
    expect(() => read('a,b\n1,2\n', 'amount_usd=Total')).toThrow(
      '--map names the column "Total"; the file has a, b.',
    )
    expect(() => readColumnMap('total=Total')).toThrow('--map contains "total=Total"')
  })
})

describe('a bill as JSON', () => {
  it('keeps the digits of its amounts', () => {
    const text = '{ "data": [{ "task_id": 7, "cost": 0.1000000 }, { "task_id": "j", "cost": 1e-6 }] }'
    expect(readJson(text)).toEqual([
      { amountMicros: 100_000, remoteId: '7' },
      { amountMicros: 1, remoteId: 'j' },
    ])
  })

  it.each([['{}'], ['7'], ['no JSON']])('is refused when it has no list: %s', (text) => {
    expect(() => readJson(text)).toThrow('The file must be a JSON list')
  })
})

describe('parseCsv', () => {
  it('reads quotes, line breaks in cells, a byte order mark and a last line without an end', () => {
    expect(parseCsv('\uFEFFa,"b ""c""\r\nd"\r\n,e')).toEqual([
      ['a', 'b "c"\r\nd'],
      ['', 'e'],
    ])
    expect(parseCsv('')).toEqual([])
  })

  it('refuses a quote inside of a plain cell', () => {
    expect(() => parseCsv('a"b,c\n')).toThrow(MalformedCsv)
  })
})
