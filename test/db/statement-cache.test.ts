// Statements of SQLite are compiled once, with values that no plan depends on.
import BetterSqlite3 from 'better-sqlite3'
import { expect, it, onTestFinished, vi } from 'vitest'
import { cacheStatements } from '../../src/db/connection/statement-cache.ts'

function open() {
  const connection = new BetterSqlite3(':memory:')
  onTestFinished(() => void connection.close())
  const compile = vi.spyOn(connection, 'prepare')
  return { connection: cacheStatements(connection), compile }
}

it('each text is compiled once, and returns rows as objects after it returned arrays', () => {
  const { connection, compile } = open()
  expect(connection.prepare('select ? as value').raw().get(1)).toEqual([1])
  expect(connection.prepare('select ? as value').get(2)).toEqual({ value: 2 })
  expect(compile).toHaveBeenCalledTimes(1)
})

it('values keep their type, as in a list, a limit and a comparison', () => {
  const { connection } = open()
  const values: [value: unknown, type: string][] = [
    [1, 'real'],
    [1.5, 'real'],
    ['it?', 'text'],
    [null, 'null'],
    [Buffer.from('bytes'), 'blob'],
    [7n, 'integer'],
  ]
  for (const [value, type] of values)
    expect(connection.prepare('select ? as value, typeof(?) as type').get(value, value)).toEqual({
      value: typeof value === 'bigint' ? Number(value) : value,
      type,
    })
  connection.exec(
    `create table numbers (n integer, word text); insert into numbers values (1, 'a'), (2, 'b'), (3, 'c')`,
  )
  const page = connection.prepare('select n from numbers where n > ? and word like ? order by n desc limit ?')
  expect(page.all(1, '%', 1)).toEqual([{ n: 3 }])
  expect(connection.prepare('select n from numbers where word in (?, ?)').all('a', 'c')).toHaveLength(2)
  // A number compares with a text column as its text.
  expect(connection.prepare('select count(*) as found from numbers where n = ?').get('2')).toEqual({
    found: 1,
  })
})

it('a question mark in a text is no value', () => {
  const { connection, compile } = open()
  const text = `select 'a?b''?' as text, ? as value`
  expect(connection.prepare(text).get(7)).toEqual({ text: `a?b'?`, value: 7 })
  expect(compile).toHaveBeenCalledWith(`select 'a?b''?' as text, +? as value`)
})
