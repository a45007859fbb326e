import { listKeys } from '../db/access/api-keys.ts'
import { getProject } from '../db/access/projects.ts'
import type { ApiKeyRow } from '../db/tables/tables.ts'
import { prefixOf } from '../engine/access/key-text.ts'
import { DEFAULT_SCOPES, MAX_KEYS } from '../engine/access/keys.ts'
import { builder } from './builder.ts'
import { NodeRef } from './node.ts'
import { ProjectRef } from './project.ts'

const ScopeEnum = builder.enumType('Scope', {
  description:
    'What an API key may ask for. Each opens some fields of Query, Mutation and Subscription, and no others.',
  values: {
    GENERATE: { description: 'generateImage, cancelTask and retryTask: it may spend money.' },
    READ: { description: 'Tasks, images, providers and whatever else there is to look at.' },
    REPORT: { description: 'What was spent, by whom and on what.' },
    ADMIN: { description: 'Keys, webhooks and doubts of its project. It may give keys any scope.' },
  } as const,
})

export const ApiKeyRef = builder.objectRef<ApiKeyRow>('ApiKey').implement({
  description: 'A credential of a project. Its secret was shown once and is stored nowhere.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people: where it is used, for example.' }),
    prefix: t.string({
      description:
        'How the key itself begins, dk_live_ and ten characters: no secret, and enough to recognise it.',
      resolve: ({ handle }) => prefixOf(handle),
    }),
    scopes: t.expose('scopes', {
      type: [ScopeEnum],
      description: 'Fixed when it was made; never empty.',
    }),
    project: t.field({
      type: ProjectRef,
      description: 'Whose tasks it asks for and sees.',
      resolve: ({ projectId }, _, { db }) => getProject(db.read, projectId),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was made and shown.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'From then on it is refused; null for never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody ended it for good; null for most.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'To the minute; null before its first use.',
    }),
  }),
})

builder.objectField(ProjectRef, 'keys', (t) =>
  t.field({
    type: [ApiKeyRef],
    description: `Its credentials, oldest first: ${MAX_KEYS} good ones at most.`,
    complexity: { multiplier: MAX_KEYS },
    args: {
      includeRevoked: t.arg.boolean({ defaultValue: false, description: 'Those that were ended, too.' }),
    },
    resolve: ({ id }, { includeRevoked }, { db }) =>
      listKeys(db.read, id, { includeRevoked: includeRevoked ?? false }),
  }),
)

interface Created {
  key: string
  apiKey: ApiKeyRow
}

const CreatedRef = builder.objectRef<Created>('CreatedApiKey').implement({
  description: 'A new credential. Only this answer holds the text of it.',
  fields: (t) => ({
    key: t.exposeString('key', {
      description:
        'dk_live_…: goes into the header "Authorization: Bearer …". Keep it now, it is never shown again.',
    }),
    apiKey: t.expose('apiKey', {
      type: ApiKeyRef,
      description: 'What is kept of it.',
    }),
  }),
})

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'What a new credential is called, may do, and until when.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 100 characters, for people.' }),
    scopes: t.field({
      type: [ScopeEnum],
      defaultValue: [...DEFAULT_SCOPES],
      description: 'At least one: no more than its user needs.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'Still to come; never when left out.' }),
  }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreatedRef,
    description:
      "Makes a credential of the caller's project. The first one that is ever made ends the time in which no key was needed.",
    extensions: { scope: 'ADMIN' },
    args: {
      input: t.arg({
        type: CreateApiKeyInput,
        required: true,
        description: 'Its name, and whatever shall not be at its default.',
      }),
    },
    resolve: (_, { input: { name, scopes, expiresAt } }, { engine, caller }) =>
      engine.createApiKey(caller, {
        name,
        scopes: scopes ?? DEFAULT_SCOPES,
        expiresAt: expiresAt ?? null,
        limits: null,
      }),
  }),
  revokeApiKey: t.field({
    type: ApiKeyRef,
    description:
      'Ends a credential for good: whoever is connected with it is cut off within 5 seconds. Twice is once.',
    extensions: { scope: 'ADMIN' },
    args: { id: t.arg.id({ required: true, description: 'Of any key of the project, key_….' }) },
    resolve: (_, { id }, { engine, caller }) => engine.revokeApiKey(caller, id),
  }),
}))
