import type { ResultAddressRow } from '../db/tables/tables.ts'
import { AttemptRef } from './attempt.ts'
import { builder } from './builder.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { requires } from './scopes.ts'

const ResultAddressRef = builder.objectRef<ResultAddressRow>('ResultAddress').implement({
  description: 'Address at which a provider keeps an image that is not stored yet.',
  fields: (t) => ({
    ...exposeAll(t, 'String', {
      url: 'URL as received. A signed one grants access to the image, so keep it confidential.',
    }),
    ...exposeAll(t, 'Int', {
      position: 'Index of its image in the task, from 0.',
      tries: 'Failed downloads so far.',
    }),
    ...exposeNullable(t, 'String', {
      problem: 'Cause of the latest failure; completes "the address …". Null before the first one.',
    }),
    ...exposeAll(t, 'DateTime', { receivedAt: 'Time at which it was stored.' }),
  }),
})

builder.objectField(AttemptRef, 'resultAddresses', (t) =>
  t.field({
    type: [ResultAddressRef],
    nullable: true,
    description:
      'Addresses of images that the provider has made and that are not stored yet: downloads in progress, or given up. Null ' +
      'without the scope ADMIN.',
    complexity: { multiplier: 2 },
    resolve: ({ id }, _, { caller, loaders }) =>
      caller.scopes.has('ADMIN') ? loaders.addresses.load(id) : null,
  }),
)

mutation('fetchResult', {
  right: requires(
    'ADMIN',
    'Makes the stored addresses of an attempt due for a download now, also after it has ended. A worker downloads them ' +
      'within seconds; a stored image appears in `Task.images`, and a task that has ended keeps its status. Costs nothing. ' +
      'Audited. Errors: NOT_FOUND; CONFLICT if it has no address.',
  ),
  input: {
    description: 'Id of the attempt.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of an attempt, att_…, with `resultAddresses`.' }),
    }),
  },
  resolve: async ({ id }, { engine, caller }) => ({ attempt: await engine.fetchResult(caller, id) }),
  payload: (t) => exposeNullable(t, AttemptRef, { attempt: 'The attempt, whose download is due.' }),
})
