import { countKeys, listKeys } from '../db/access/api-keys.ts'
import { getProject } from '../db/access/projects.ts'
import type { ApiKeyRow } from '../db/tables/tables.ts'
import type { Scope } from '../domain.ts'
import { prefixOf } from '../engine/access/key-text.ts'
import { DEFAULT_SCOPES, MAX_KEYS } from '../engine/access/keys.ts'
import { conflict } from '../errors.ts'
import { builder, describedEnum } from './builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from './connection.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { NodeRef } from './node.ts'
import { ProjectRef } from './project.ts'
import { requires } from './scopes.ts'

export const ScopeEnum = describedEnum<Scope>('Scope', {
  description:
    'Permission of an API key. The description of each field of Query, Mutation and Subscription names the scope it requires.',
  GENERATE: 'May spend money: generateImage, cancelTask, retryTask and their bulk forms.',
  READ: 'Read tasks, images, providers, webhooks and attempts that need review.',
  REPORT: 'Read usage, cost and budgets.',
  ADMIN:
    'Manage keys, their budgets and limits, and webhooks; resolve attempts and adjust costs. May create keys with any scope.',
})

export const ApiKeyRef = builder.objectRef<ApiKeyRow>('ApiKey').implement({
  description: 'A credential of a project. Its secret is shown once, by createApiKey, and is not stored.',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, 'String', { name: 'Display name, 1 to 100 characters.' }),
    prefix: t.string({
      description: 'Start of the key, which identifies it and is not secret: dk_live_ and ten characters.',
      resolve: ({ handle }) => prefixOf(handle),
    }),
    project: t.field({
      type: ProjectRef,
      description: 'The project whose tasks, images and webhooks the key can access.',
      resolve: ({ projectId }, _, { db }) => getProject(db.read, projectId),
    }),
    ...exposeAll(t, 'DateTime', { createdAt: 'Creation time, when the secret was shown.' }),
    ...exposeNullable(t, 'DateTime', {
      expiresAt: 'Time from which the key is refused. Null if it never expires.',
      revokedAt: 'Time of revokeApiKey. Null while the key is not revoked.',
      lastUsedAt: 'Time of the latest request, to the minute. Null before the first one.',
    }),
    ...exposeAll(t, [ScopeEnum], { scopes: 'Permissions, fixed at creation. Never empty.' }),
  }),
})

const oldestFirst = keysetOf<ApiKeyRow>('key', ({ createdAt }) => createdAt)

const ApiKeyConnectionRef = connectionType<ApiKeyRow>('ApiKey', {
  description: 'A page of API keys, oldest first.',
  node: ApiKeyRef,
  keyset: oldestFirst,
})

builder.objectField(ProjectRef, 'keys', (t) =>
  t.field({
    type: ApiKeyConnectionRef,
    description: `API keys of the project, oldest first. At most ${MAX_KEYS} are not revoked. Errors: CURSOR_INVALID.`,
    complexity: (page) => weightOfPage(page),
    args: {
      ...pageArguments(),
      includeRevoked: t.arg.boolean({
        defaultValue: false,
        description: 'Whether revoked keys are listed as well.',
      }),
    },
    resolve({ id }, { includeRevoked, ...page }, { db }) {
      const which = { includeRevoked: includeRevoked ?? false }
      return readPage(page, oldestFirst, {
        list: (range) => listKeys(db.read, id, which, range),
        count: () => countKeys(db.read, id, which),
      })
    },
  }),
)

/** The first key ends the time without keys, also for the operator. */
const LOCKED_OUT =
  'This would be the first key of this server, which has no operator key. From then on it would refuse every request ' +
  'without a key, also those of its operator. Nothing was created. Either set DARKROOM_ADMIN_KEY, restart the server and ' +
  'create the key with it, or stop the server and run `darkroom keys create`; further changes then need the server stopped as well.'

mutation('createApiKey', {
  right: requires(
    'ADMIN',
    "Creates an API key of the caller's project. Errors: CONFLICT if the project has " +
      `${MAX_KEYS} keys that are not revoked, and for the first key of a server without DARKROOM_ADMIN_KEY.`,
  ),
  input: {
    description: 'Name, permissions and lifetime of a new API key.',
    fields: (t) => ({
      name: t.string({
        required: true,
        description: 'Display name, 1 to 100 characters without spaces at either end.',
      }),
      scopes: t.field({
        type: [ScopeEnum],
        defaultValue: [...DEFAULT_SCOPES],
        description: 'Permissions, at least one. Cannot be changed later.',
      }),
      expiresAt: t.field({
        type: 'DateTime',
        description: 'Time from which the key is refused, in the future. Never by default.',
      }),
    }),
  },
  async resolve({ name, scopes, expiresAt }, { engine, caller, server }) {
    if (await server.isOpen()) throw conflict(LOCKED_OUT)
    return engine.createApiKey(caller, {
      name,
      scopes: scopes ?? DEFAULT_SCOPES,
      expiresAt: expiresAt ?? null,
      limits: null,
    })
  },
  payload: (t) => ({
    ...exposeAll(t, 'String', {
      key: 'Secret key, dk_live_…, for the header "Authorization: Bearer <key>". Store it now: it cannot be read again.',
    }),
    ...exposeNullable(t, ApiKeyRef, { apiKey: 'The created key, without its secret.' }),
  }),
})

mutation('revokeApiKey', {
  right: requires(
    'ADMIN',
    'Revokes an API key for good and disconnects its clients within 5 seconds. Idempotent. Operators can revoke keys of ' +
      'every project. Errors: NOT_FOUND.',
  ),
  input: {
    description: 'Id of the API key.',
    fields: (t) => ({
      id: t.id({ required: true, description: "Id of a key of the caller's project, key_…." }),
    }),
  },
  resolve: async ({ id }, { engine, caller }) => ({ apiKey: await engine.revokeApiKey(caller, id) }),
  payload: (t) => exposeNullable(t, ApiKeyRef, { apiKey: 'The key, with `revokedAt`.' }),
})
