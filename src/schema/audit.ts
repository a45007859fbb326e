import { countAuditLog, listAuditLog, type AuditRow } from '../db/access/audit.ts'
import { DEFAULT_PROJECT } from '../db/access/projects.ts'
import { builder } from './builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from './connection.ts'
import { exposeAll } from './expose.ts'
import { requires } from './scopes.ts'

interface Detail {
  name: string
  value: string | null
}

const AuditDetailRef = builder.objectRef<Detail>('AuditDetail').implement({
  description: 'One value of an entry of the audit log, such as the new limit.',
  fields: (t) => ({
    ...exposeAll(t, 'String', { name: 'Name of the value; which ones exist depends on `action`.' }),
    value: t.exposeString('value', {
      nullable: true,
      description: 'The value as text. Null if it was removed.',
    }),
  }),
})

/** Audited as any other value. */
const DECIDED_BY = 'by'

export const AuditEntryRef = builder.objectRef<AuditRow>('AuditEntry').implement({
  description:
    'A decision of an operator or of the holder of a key with the scope ADMIN, or a deletion. Entries are never changed.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique, and sortable by time: aud_….' }),
    ...exposeAll(t, 'DateTime', { at: 'Time at which it was committed, together with its effect.' }),
    ...exposeAll(t, 'String', { action: 'Name of the mutation, such as setBudget.' }),
    subject: t.exposeID('subject', {
      description: 'Id of what it changed: a project, API key, attempt, task, image or data folder.',
    }),
    by: t.string({
      nullable: true,
      description: 'Who decided: id of an API key, `operator` or `command line`. Null if not recorded.',
      resolve: ({ detail }) => detail[DECIDED_BY] ?? null,
    }),
    details: t.field({
      type: [AuditDetailRef],
      description: 'Further values, in order of name.',
      resolve: ({ detail }) =>
        Object.entries(detail)
          .filter(([name]) => name !== DECIDED_BY)
          .map(([name, value]) => ({ name, value }))
          .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    }),
  }),
})

const latestFirst = keysetOf<AuditRow>('aud', ({ at }) => at)

const AuditConnectionRef = connectionType<AuditRow>('AuditEntry', {
  description: 'A page of the audit log, latest first.',
  node: AuditEntryRef,
  keyset: latestFirst,
})

builder.queryField('auditLog', (t) =>
  t.field({
    type: AuditConnectionRef,
    ...requires(
      'ADMIN',
      'Decisions about the project, its keys and its attempts, latest first. Operators of the default project see those of ' +
        'all projects. Errors: CURSOR_INVALID.',
    ),
    complexity: (page) => weightOfPage(page),
    args: {
      subject: t.arg.id({ description: 'Only decisions about the project, key or attempt with this id.' }),
      ...pageArguments(),
    },
    resolve(_, { subject, ...page }, { db, caller, projectId }) {
      const seesAll = caller.operator && projectId === DEFAULT_PROJECT
      const filter = { subject: subject ?? undefined, projectId: seesAll ? undefined : projectId }
      return readPage(page, latestFirst, {
        list: (range) => listAuditLog(db.read, filter, range),
        count: () => countAuditLog(db.reports, filter),
      })
    },
  }),
)
