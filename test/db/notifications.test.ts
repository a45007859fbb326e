import { expect, it } from 'vitest'
import { notifications } from '../../src/db/connection/listen.ts'

const quote = (text: string) => `'${text}'`

it('one notification wakes all keys of a transaction', () => {
  expect(notifications([], quote)).toEqual([])
  expect(notifications(['task:task_1', 'feed:prj_1', 'queue'], quote)).toEqual([
    `select pg_notify('darkroom', 'task:task_1,feed:prj_1,queue')`,
  ])
})

it('the notifications of very many keys stay below the maximum of PostgreSQL, and name each key once', () => {
  const keys = Array.from({ length: 1000 }, (_, i) => `task:task_${String(i).padStart(26, '0')}`)
  const payloads = notifications(keys, quote).map((text) => /, '(.*)'\)$/.exec(text)?.[1] ?? '')
  expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThan(8000)
  expect(payloads.flatMap((payload) => payload.split(','))).toEqual(keys)
  expect(payloads.length).toBeLessThan(10)
})
