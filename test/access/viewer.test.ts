import { describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { openGateway } from '../support/gateway.ts'
import { openGatewayWithKeys } from './gateway-with-keys.ts'

const VIEWER = `{ viewer {
  scopes isOperator isOpen apiKey { id } project { id } server { version database publicUrl }
} }`

interface Viewer {
  scopes: string[]
  isOperator: boolean
  isOpen: boolean
  apiKey: { id: string } | null
  project: { id: string }
  server: { version: string; database: string; publicUrl: string }
}

describe('the viewer', () => {
  it('is an operator of an open server while no key is required', async () => {
    await using gateway = await openGateway()
    const { viewer } = await gateway.get<{ viewer: Viewer }>(VIEWER)
    expect(viewer).toMatchObject({
      isOperator: true,
      isOpen: true,
      apiKey: null,
      project: { id: DEFAULT_PROJECT },
      server: { database: 'sqlite', publicUrl: gateway.url },
    })
    expect(viewer.server.version).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('has the project and the scopes of its key, with any scope', async () => {
    await using keyed = await openGatewayWithKeys()
    const project = await keyed.newProject('shop')
    for (const scope of ['GENERATE', 'READ', 'REPORT', 'ADMIN'] as const) {
      const { key, id } = await keyed.newKey({ project, scopes: [scope] })
      const { viewer } = await keyed.as(key).get<{ viewer: Viewer }>(VIEWER)
      expect(viewer).toMatchObject({
        scopes: [scope],
        isOperator: false,
        isOpen: false,
        apiKey: { id },
        project: { id: project },
      })
    }
    const { viewer } = await keyed.operator(project).get<{ viewer: Viewer }>(VIEWER)
    expect(viewer).toMatchObject({ isOperator: true, isOpen: false, apiKey: null, project: { id: project } })
  })
})
