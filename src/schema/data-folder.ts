import { listDataFolders } from '../db/maintenance/data-folders.ts'
import type { DataFolderRow } from '../db/tables/tables.ts'
import { builder } from './builder.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { requires } from './scopes.ts'

const DataFolderRef = builder.objectRef<DataFolderRow>('DataFolder').implement({
  description:
    'A data folder whose processes use this database. Answers of providers that were received before a crash are on its disk.',
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      description: 'Id, fld_…, from the file folder-id in the folder.',
    }),
    ...exposeAll(t, 'String', { host: 'Name of the machine that used it last.' }),
    ...exposeAll(t, 'DateTime', {
      lastSeenAt: 'Time at which a process used it last; on SQLite, the last start.',
    }),
    ...exposeNullable(t, 'DateTime', {
      lostAt:
        'Time at which markDataFolderLost declared it lost. Null otherwise, and after a process starts in it.',
    }),
  }),
})

builder.queryField('dataFolders', (t) =>
  t.field({
    type: [DataFolderRef],
    ...requires('OPERATOR', 'Data folders whose processes have used this database, latest first.'),
    resolve: (_, __, { db }) => listDataFolders(db.read),
  }),
)

mutation('markDataFolderLost', {
  right: requires(
    'OPERATOR',
    'Declares the answers in a data folder lost, because its machine or disk is gone. Attempts of unknown outcome that ' +
      'it held and that may be sent again are sent at once, instead of after engine.resendGraceMs. Audited. Idempotent. ' +
      'Errors: NOT_FOUND.',
  ),
  input: {
    description: 'Id of the data folder.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Id of a data folder, fld_….' }) }),
  },
  resolve: async ({ id }, { engine }) => ({ dataFolder: await engine.markDataFolderLost(id) }),
  payload: (t) =>
    exposeNullable(t, DataFolderRef, { dataFolder: 'The declared folder, with the time in `lostAt`.' }),
})
