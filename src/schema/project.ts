import { countProjects, getProject, listProjects } from '../db/access/projects.ts'
import type { ProjectRow } from '../db/tables/tables.ts'
import { builder } from './builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from './connection.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { NodeRef } from './node.ts'
import { requires } from './scopes.ts'

export const ProjectRef = builder.objectRef<ProjectRow>('Project').implement({
  description: 'A tenant. Its API keys, tasks, images and webhooks are invisible to other projects.',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, 'String', { name: 'Display name, 1 to 100 characters.' }),
    ...exposeAll(t, 'DateTime', {
      createdAt: 'Creation time; for the default project, that of the database.',
    }),
  }),
})

const oldestFirst = keysetOf<ProjectRow>('prj', ({ createdAt }) => createdAt)

const ProjectConnectionRef = connectionType<ProjectRow>('Project', {
  description: 'A page of projects, oldest first.',
  node: ProjectRef,
  keyset: oldestFirst,
})

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectRef,
    ...requires(
      'READ',
      'The project of the API key. Operators choose one with the header Darkroom-Project; the default project otherwise.',
    ),
    resolve: (_, __, { db, projectId }) => getProject(db.read, projectId),
  }),
  projects: t.field({
    type: ProjectConnectionRef,
    ...requires('OPERATOR', 'All projects of this server, oldest first. Errors: CURSOR_INVALID.'),
    complexity: (page) => weightOfPage(page),
    args: pageArguments(),
    resolve: (_, page, { db }) =>
      readPage(page, oldestFirst, {
        list: (range) => listProjects(db.read, range),
        count: () => countProjects(db.read),
      }),
  }),
}))

mutation('createProject', {
  right: requires('OPERATOR', 'Creates a project without API keys. Errors: CONFLICT if the name is taken.'),
  input: {
    description: 'Name of the new project.',
    fields: (t) => ({
      name: t.string({
        required: true,
        description: 'Display name, 1 to 100 characters without spaces at either end.',
      }),
    }),
  },
  resolve: async ({ name }, { engine, caller }) => ({ project: await engine.createProject(caller, name) }),
  payload: (t) => exposeNullable(t, ProjectRef, { project: 'The created tenant.' }),
})
