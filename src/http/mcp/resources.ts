import {
  McpError,
  type ListResourcesResult,
  type ReadResourceResult,
} from '@modelcontextprotocol/sdk/types.js'
import { findAsset, listImages } from '../../db/tasks/assets.ts'
import { findTasks } from '../../db/tasks/tasks.ts'
import { AssetMissing } from '../../assets/store.ts'
import { readResource } from './image-content.ts'
import { IMAGE_URI_TEMPLATE, imageUri, readImageUri } from './image-uri.ts'
import { countAndCheck } from './run-tool.ts'
import type { McpContext } from './tool.ts'

const MAX_LISTED = 50

export const IMAGE_TEMPLATE = {
  name: 'image',
  title: 'Image',
  uriTemplate: IMAGE_URI_TEMPLATE,
  description:
    'A finished image by its id. Files over 4 MiB are returned as a WebP of at most 2048 pixels per edge; the address in the ' +
    'result of a tool has the full file.',
}

/** Newest first. Throws FORBIDDEN and RATE_LIMITED. */
export async function listRecentImages(context: McpContext): Promise<ListResourcesResult> {
  await countAndCheck(context, 'resources/list', 'READ')
  const { db, projectId } = context
  const images = await listImages(db.read, projectId, { kinds: ['FINAL'] }, { limit: MAX_LISTED })
  const tasks = await findTasks(db.read, projectId, [...new Set(images.map(({ taskId }) => taskId))])
  const prompts = new Map(tasks.map(({ id, request }) => [id, request.prompt]))
  return {
    resources: images.map(({ id, taskId, width, height, mimeType, byteSize, createdAt }) => ({
      uri: imageUri(id),
      name: id,
      title: prompts.get(taskId)?.slice(0, 80) ?? id,
      description: `${width}x${height}, made ${new Date(createdAt).toISOString()} by ${taskId}`,
      mimeType,
      size: byteSize,
    })),
  }
}

/** Of any kind, inputs too. Throws FORBIDDEN, RATE_LIMITED and McpError. */
export async function readImage(context: McpContext, uri: string): Promise<ReadResourceResult> {
  await countAndCheck(context, 'resources/read', 'READ')
  const id = readImageUri(uri)
  const asset = id === undefined ? undefined : await findAsset(context.db.read, context.projectId, id)
  if (!asset) throw resourceMissing(uri)
  try {
    const { bytes, mimeType } = await readResource(context, asset)
    return { contents: [{ uri, mimeType, blob: bytes.toString('base64') }] }
  } catch (error) {
    if (error instanceof AssetMissing) throw resourceMissing(uri)
    throw error
  }
}

/** modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling. */
const RESOURCE_NOT_FOUND = -32002

function resourceMissing(uri: string): McpError {
  return new McpError(RESOURCE_NOT_FOUND, `There is no resource ${JSON.stringify(uri.slice(0, 100))}.`, {
    uri,
  })
}
