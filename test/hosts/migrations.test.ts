// Migrations since the last release: its processes run on the new schema while a new version is rolled out. What they still
// use is removed one release later. Only PostgreSQL has several processes.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { LAST_RELEASE } from './release.ts'

/** The last migration of that release. */
const LAST_MIGRATION = '20261129220713_charges'

/** What the last release could trip over, in the words of a rule. */
const RULES: { rule: string; pattern: RegExp }[] = [
  { rule: 'drops a table', pattern: /\bdrop\s+table\b/i },
  { rule: 'drops a column', pattern: /\bdrop\s+column\b/i },
  { rule: 'renames', pattern: /\brename\b/i },
  { rule: 'changes the type of a column', pattern: /\balter\s+column\s+\S+\s+(?:set\s+data\s+)?type\b/i },
  { rule: 'requires a value', pattern: /\balter\s+column\s+\S+\s+set\s+not\s+null\b/i },
  { rule: 'drops a default', pattern: /\balter\s+column\s+\S+\s+drop\s+default\b/i },
  {
    rule: 'adds a column that the last release does not fill',
    pattern: /\badd\s+column\s+(?!.*\bdefault\b).*\bnot\s+null\b/i,
  },
  { rule: 'adds a unique index', pattern: /\bcreate\s+unique\s+index\b/i },
]

function statementsOf(migration: string): string[] {
  const text = readFileSync(join(MIGRATIONS.postgresql, migration, 'migration.sql'), 'utf8')
  return text.split('--> statement-breakpoint').map((statement) => statement.trim())
}

/** `created`: tables that the last release does not know. */
function problemsOf(statement: string, created: ReadonlySet<string>): string[] {
  const table = /^(?:alter\s+table|create\s+unique\s+index\s+\S+\s+on)\s+"([^"]+)"/i.exec(statement)?.[1]
  if (table !== undefined && created.has(table)) return []
  return [
    ...RULES.filter(({ pattern }) => pattern.test(statement)).map(({ rule }) => rule),
    ...narrowed(statement),
  ]
}

/** A replaced list of values must contain the old one: checks name it as `"column" in (…)`. */
const known = new Map<string, Set<string>>()

function narrowed(statement: string): string[] {
  return [...statement.matchAll(/CONSTRAINT "([^"]+)" CHECK \(("?[^"]+"?) in \(([^)]+)\)\)/g)].flatMap(
    ([, name = '', , list = '']) => {
      const values = new Set(list.split(',').map((value) => value.trim()))
      const before = known.get(name) ?? new Set()
      known.set(name, values)
      return before.isSubsetOf(values) ? [] : [`allows fewer values in ${name}`]
    },
  )
}

describe(`migrations since ${LAST_RELEASE.version}`, () => {
  it('only add: the last release runs on the new schema', () => {
    const all = readdirSync(MIGRATIONS.postgresql).toSorted()
    expect(all).toContain(LAST_MIGRATION)
    const created = new Set<string>()
    const problems: string[] = []
    for (const migration of all) {
      const isNew = migration > LAST_MIGRATION
      for (const statement of statementsOf(migration)) {
        const table = /^create\s+table\s+"([^"]+)"/i.exec(statement)?.[1]
        if (isNew && table !== undefined) created.add(table)
        const found = problemsOf(statement, created)
        if (isNew) problems.push(...found.map((problem) => `${migration} ${problem}: ${statement}`))
      }
    }
    expect(problems).toEqual([])
  })

  it.each([
    ['DROP TABLE "tasks"', 'drops a table'],
    ['ALTER TABLE "tasks" DROP COLUMN "model"', 'drops a column'],
    ['ALTER TABLE "tasks" RENAME COLUMN "model" TO "name"', 'renames'],
    ['ALTER TABLE "tasks" ALTER COLUMN "n" SET DATA TYPE bigint', 'changes the type of a column'],
    ['ALTER TABLE "tasks" ALTER COLUMN "n" SET NOT NULL', 'requires a value'],
    ['ALTER TABLE "tasks" ALTER COLUMN "n" DROP DEFAULT', 'drops a default'],
    [
      'ALTER TABLE "tasks" ADD COLUMN "n" bigint NOT NULL',
      'adds a column that the last release does not fill',
    ],
    ['CREATE UNIQUE INDEX "tasks_n" ON "tasks" ("n")', 'adds a unique index'],
    [
      `ALTER TABLE "assets" ADD CONSTRAINT "assets_kind" CHECK ("kind" in ('FINAL'))`,
      'allows fewer values in assets_kind',
    ],
  ])('are refused with %s', (statement, problem) => {
    expect(problemsOf(statement, new Set(['another']))).toEqual([problem])
  })
})
