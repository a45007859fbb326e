// Azure OpenAI (docs/azure.md): the fake OpenAI Images API behind deployments, with `api-key` and `api-version`.
import type { CannedReply } from './fake.ts'
import { startOpenaiUpstream, type OpenaiUpstream, type ReceivedRequest } from './openai.ts'

export const API_VERSION = '2025-04-01-preview'

interface AzureUpstreamOptions {
  apiKey: string
  /** The model of each deployment. */
  deployments?: Readonly<Record<string, string>>
}

export function startAzureUpstream({
  apiKey,
  deployments = { 'gpt-image-2': 'gpt-image-2' },
}: AzureUpstreamOptions): Promise<OpenaiUpstream> {
  function front(request: ReceivedRequest): ReceivedRequest | CannedReply {
    const { pathname, searchParams } = new URL(request.path, 'http://azure')
    const [, deployment = '', operation] = PATH.exec(pathname) ?? []
    if (request.headers['api-key'] !== apiKey) return azureError(401, '401', 'Access denied.')
    if (operation === undefined || searchParams.get('api-version') !== API_VERSION)
      return azureError(404, '404', 'Resource not found')
    const model = deployments[decodeURIComponent(deployment)]
    if (model === undefined) return azureError(404, 'DeploymentNotFound', 'The deployment does not exist.')
    if (request.parameters.output_format === 'webp')
      return azureError(400, 'invalid_value', 'WEBP images are not supported.')
    return {
      ...request,
      path: `/v1/images/${operation}`,
      headers: { ...request.headers, authorization: `Bearer ${apiKey}` },
      parameters: { ...request.parameters, model },
    }
  }
  return startOpenaiUpstream({ apiKey, basePath: '', front })
}

const PATH = /^\/openai\/deployments\/([^/]+)\/images\/(generations|edits)$/

export function azureError(status: number, code: string, message: string): CannedReply {
  return { status, body: { error: { code, message } } }
}
