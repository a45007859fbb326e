import { findAnyKey, findKey } from '../db/access/api-keys.ts'
import { findAsset } from '../db/tasks/assets.ts'
import { findAttempt } from '../db/attempts/attempts.ts'
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

type AnyNode = TaskRow | AttemptRow | AssetRow | EndpointRow | DeliveryRow | ProjectRow | ApiKeyRow

export const NodeRef = builder.interfaceRef<AnyNode>('Node').implement({
  description: 'Anything with an id of its own, to be fetched again by it.',
  resolveType: ({ id }) => TYPES[idPrefix(id) ?? '']?.name,
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'Unique among all nodes. It begins with what it names (task_, att_, img_, whk_, dlv_, prj_, key_), and sorts by creation.',
    }),
  }),
})

// What an id's prefix names, and how its row is found within the caller's project.
const TYPES: Record<
  string,
  { name: string; find(context: Context, id: string): Promise<AnyNode | undefined> }
> = {
  task: { name: 'Task', find: ({ db, projectId }, id) => findTask(db.read, projectId, id) },
  att: { name: 'Attempt', find: ({ db, projectId }, id) => findAttempt(db.read, projectId, id) },
  // Its secret was shown once.
  whk: {
    name: 'Webhook',
    async find({ db, projectId }, id) {
      const found = await findEndpoint(db.read, projectId, id)
      return found && { ...found, secret: null }
    },
  },
  dlv: { name: 'WebhookDelivery', find: ({ db, projectId }, id) => findDelivery(db.read, projectId, id) },
  img: { name: 'Image', find: ({ db, projectId }, id) => findAsset(db.read, projectId, id) },
  // Operators see the projects of all, and their keys.
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
}

const MAX_IDS = 100

async function findNode(context: Context, id: string): Promise<AnyNode | null> {
  const node = await TYPES[idPrefix(id) ?? '']?.find(context, id)
  return node ?? null
}

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    description: "Any node of the caller's project by its id; null when there is none, whatever the reason.",
    extensions: { scope: 'READ' },
    args: {
      id: t.arg.id({
        required: true,
        description:
          'The id of a Task, an Attempt, an Image, a Webhook, a WebhookDelivery, a Project or an ApiKey.',
      }),
    },
    resolve: (_, { id }, context) => findNode(context, id),
  }),
  nodes: t.field({
    type: [NodeRef],
    nullable: { list: false, items: true },
    description: 'Several nodes in the order of their ids, null where there is none.',
    extensions: { scope: 'READ' },
    complexity: ({ ids }) => ({ multiplier: Math.min(ids.length, MAX_IDS) }),
    args: { ids: t.arg.idList({ required: true, description: `At most ${MAX_IDS} ids.` }) },
    resolve(_, { ids }, context) {
      if (ids.length > MAX_IDS)
        throw badInput('ids', `${ids.length} ids came; at most ${MAX_IDS} are possible.`)
      return Promise.all(ids.map((id) => findNode(context, id)))
    },
  }),
}))
