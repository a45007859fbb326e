import { getProject, listProjects } from '../db/access/projects.ts'
import type { ProjectRow } from '../db/tables/tables.ts'
import { builder } from './builder.ts'
import { NodeRef } from './node.ts'

export const ProjectRef = builder.objectRef<ProjectRow>('Project').implement({
  description: 'A tenant: it owns API keys, tasks, images and webhooks, and sees nothing of the others.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people, 1 to 100 characters.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was made; of the default one, when the database was.',
    }),
  }),
})

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectRef,
    description:
      "The caller's own: that of its key. Operators name another in the header Darkroom-Project, or see the default one.",
    extensions: { scope: 'READ' },
    resolve: (_, __, { db, projectId }) => getProject(db.read, projectId),
  }),
  projects: t.field({
    type: [ProjectRef],
    description: 'All there are, oldest first, for operators.',
    complexity: { multiplier: 50 },
    extensions: { scope: 'OPERATOR' },
    resolve: (_, __, { db }) => listProjects(db.read),
  }),
}))

builder.mutationFields((t) => ({
  createProject: t.field({
    type: ProjectRef,
    description: 'Makes a tenant without keys, for operators: createApiKey gives it one.',
    extensions: { scope: 'OPERATOR' },
    args: {
      name: t.arg.string({
        required: true,
        description: '1 to 100 characters, and not the name of another.',
      }),
    },
    resolve: (_, { name }, { engine, caller }) => engine.createProject(caller, name),
  }),
}))
