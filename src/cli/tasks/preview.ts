import { z } from 'zod'
import type { ServerClient } from '../server-client.ts'

const TASK_IMAGES = {
  query: 'query ($id: ID!) { task(id: $id) { images { url(width: 960) } } }',
  shape: z.object({ task: z.object({ images: z.array(z.object({ url: z.string() })) }).nullable() }),
}

/** Small, of the first image; undefined without any. */
export async function previewUrl(
  client: ServerClient,
  id: string,
  projectId: string,
): Promise<string | undefined> {
  const { task } = await client.run({ ...TASK_IMAGES, variables: { id }, projectId })
  return task?.images[0]?.url
}
