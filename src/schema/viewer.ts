import { findAnyKey } from '../db/access/api-keys.ts'
import { getProject } from '../db/access/projects.ts'
import type { Access } from '../engine/access/access.ts'
import { ApiKeyRef, ScopeEnum } from './api-key.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { exposeAll } from './expose.ts'
import { ProjectRef } from './project.ts'
import { requires } from './scopes.ts'

const ServerRef = builder.objectRef<Context['server']>('Server').implement({
  description: 'The server that answers, as far as every caller may know it.',
  fields: (t) => ({
    ...exposeAll(t, 'String', {
      version: 'Version of Darkroom, such as 0.2.0.',
      database: 'sqlite, which one process owns, or postgresql, which several may share.',
    }),
    publicUrl: t.field({
      type: 'URL',
      description: 'Address that clients use, without a trailing slash: where image URLs begin.',
      resolve: (_, __, { publicUrl }) => publicUrl,
    }),
  }),
})

const ViewerRef = builder.objectRef<Access>('Viewer').implement({
  description: 'The caller of an operation, and what it may do.',
  fields: (t) => ({
    scopes: t.field({
      type: [ScopeEnum],
      description: 'Permissions of its API key. All of them for an operator.',
      resolve: ({ scopes }) => [...scopes],
    }),
    isOperator: t.exposeBoolean('operator', {
      description: 'Whether it may act on all projects: with the admin key, and while no key is required.',
    }),
    isOpen: t.boolean({
      description:
        'Whether no key is required, because there is neither an admin key nor an API key. Then everyone who can connect is an ' +
        'operator.',
      resolve: (_, __, { server }) => server.isOpen(),
    }),
    apiKey: t.field({
      type: ApiKeyRef,
      nullable: true,
      description: 'The API key of the request. Null for an operator.',
      resolve: async ({ apiKeyId }, _, { db }) =>
        apiKeyId === null ? null : ((await findAnyKey(db.read, apiKeyId)) ?? null),
    }),
    project: t.field({
      type: ProjectRef,
      description: 'The project that its operations act on.',
      resolve: ({ projectId }, _, { db }) => getProject(db.read, projectId),
    }),
    server: t.field({
      type: ServerRef,
      description: 'The server that answers this operation.',
      resolve: (_, __, { server }) => server,
    }),
  }),
})

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    ...requires('ANY', 'The caller, its project and the server.'),
    resolve: (_, __, { caller }) => caller,
  }),
)
