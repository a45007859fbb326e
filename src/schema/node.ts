import { findAnyKey, findKey } from '../db/access/api-keys.ts'
import { findAsset } from '../db/tasks/assets.ts'
import { findAttempt } from '../db/attempts/attempts.ts'
import { hasSentTo } from '../db/providers/stats.ts'
import { findDelivery } from '../db/webhooks/deliveries.ts'
import { findProject } from '../db/access/projects.ts'
import type {
  ApiKeyRow,
  AssetRow,
  AttemptRow,
  DeliveryRow,
  EndpointRow,
  ProjectRow,
  TaskRow,
} from '../db/tables/tables.ts'
import { findTask } from '../db/tasks/tasks.ts'
import { findEndpoint } from '../db/webhooks/endpoints.ts'
import { badInput } from '../errors.ts'
import { idPrefix } from '../ids.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { namedProvider, type ModelRow, type ProviderRow } from './named-provider.ts'
import { requires } from './scopes.ts'

type AnyNode =
  | TaskRow
  | AttemptRow
  | AssetRow
  | EndpointRow
  | DeliveryRow
  | ProjectRow
  | ApiKeyRow
  | ProviderRow
  | ModelRow

export const NodeRef = builder.interfaceRef<AnyNode>('Node').implement({
  description: 'An object with an id, which `Query.node` returns by that id.',
  resolveType: ({ id }) => TYPES[prefixOf(id)]?.name,
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'Unique among all nodes. The prefix names the type: task_, att_, img_, whk_, dlv_, prj_ or key_, which sort by creation ' +
        'time; provider_ or model_, which the configuration names.',
    }),
  }),
})

/** By prefix of the ids. Rows are found within the caller's project, by operators anywhere. */
const TYPES: Record<
  string,
  { name: string; find(context: Context, id: string): Promise<AnyNode | undefined> }
> = {
  task: { name: 'Task', find: ({ db, projectId }, id) => findTask(db.read, projectId, id) },
  att: { name: 'Attempt', find: ({ db, projectId }, id) => findAttempt(db.read, projectId, id) },
  whk: {
    name: 'Webhook',
    async find({ db, projectId }, id) {
      const found = await findEndpoint(db.read, projectId, id)
      return found && { ...found, secret: null }
    },
  },
  dlv: { name: 'WebhookDelivery', find: ({ db, projectId }, id) => findDelivery(db.read, projectId, id) },
  img: { name: 'Image', find: ({ db, projectId }, id) => findAsset(db.read, projectId, id) },
  prj: {
    name: 'Project',
    find: async ({ db, projectId, caller }, id) =>
      caller.operator || id === projectId ? findProject(db.read, id) : undefined,
  },
  key: {
    name: 'ApiKey',
    find: ({ db, projectId, caller }, id) =>
      caller.operator ? findAnyKey(db.read, id) : findKey(db.read, projectId, id),
  },
  provider: {
    name: 'Provider',
    async find(context, id) {
      const provider = namedProvider(id.slice('provider_'.length), context)
      const isKnown = provider.configured || (await hasSentTo(context.db.read, provider.name))
      return isKnown ? provider : undefined
    },
  },
  model: {
    name: 'Model',
    async find(context, id) {
      // The name of a provider has no slash.
      const [provider = ''] = id.slice('model_'.length).split('/')
      return namedProvider(provider, context).models.find((model) => model.id === id)
    },
  },
}

/** Providers and models have names in their ids. */
function prefixOf(id: string): string {
  return idPrefix(id) ?? /^(?:provider|model)(?=_)/.exec(id)?.[0] ?? ''
}

const MAX_IDS = 100

async function findNode(context: Context, id: string): Promise<AnyNode | null> {
  const node = await TYPES[prefixOf(id)]?.find(context, id)
  return node ?? null
}

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    ...requires(
      'READ',
      "The node with an id, within the caller's project. Null if none exists or it belongs to another project.",
    ),
    args: {
      id: t.arg.id({
        required: true,
        description:
          'Id of a Task, Attempt, Image, Webhook, WebhookDelivery, Project, ApiKey, Provider or Model.',
      }),
    },
    resolve: (_, { id }, context) => findNode(context, id),
  }),
  nodes: t.field({
    type: [NodeRef],
    nullable: { list: false, items: true },
    ...requires('READ', 'Nodes in the order of `ids`, with null where `Query.node` returns null.'),
    complexity: ({ ids }) => ({ multiplier: Math.min(ids.length, MAX_IDS) }),
    args: {
      ids: t.arg.idList({ required: true, description: `Ids of any node types, at most ${MAX_IDS}.` }),
    },
    resolve(_, { ids }, context) {
      if (ids.length > MAX_IDS)
        throw badInput('ids', `ids has ${ids.length} items; the maximum is ${MAX_IDS}.`)
      return Promise.all(ids.map((id) => findNode(context, id)))
    },
  }),
}))
