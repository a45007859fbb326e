import { z } from 'zod'
import { listAttempts } from '../../db/attempts/attempts.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { runAsStep } from '../../db/connection/priority.ts'
import { resultsAmong } from '../../engine/images/results.ts'
import { findTask } from '../../db/tasks/tasks.ts'
import type { RawImage } from '../../engine/images/store-inputs.ts'
import type { CreatedTask } from '../../engine/tasks/create.ts'
import { DEFAULT_INPUT, type TaskInput } from '../../engine/tasks/input.ts'
import { badInput } from '../../errors.ts'
import { PROMPT, readSettings, REPEAT, SETTINGS, WAIT } from './arguments.ts'
import { idempotencyKeyOf, identityOf } from './call-key.ts'
import { readImageUri } from './image-uri.ts'
import { TASK, taskAnswer } from './task-result.ts'
import { defineTool, type McpContext, type ToolCall } from './tool.ts'
import { waitForTask } from './wait.ts'

/** A repeated call is paid once: see `variant`. */
const PAID = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true }

export const generateImage = defineTool({
  name: 'generate_image',
  description:
    'Generates images from a text prompt, for money. Returns each image, its address, its id, and the cost in US dollars. ' +
    'Takes 10 to 120 seconds. After a timeout or a lost connection make the same call again: it is not charged twice. To ' +
    'change an existing image use edit_image; to know the price first use estimate_cost.',
  scope: 'GENERATE',
  annotations: { title: 'Generate image', ...PAID },
  input: z.strictObject({ prompt: PROMPT, ...SETTINGS, ...REPEAT, ...WAIT }),
  output: TASK,
  run: (args, call) => makeImage('generate_image', args, call, async () => ({ images: [] })),
})

const IMAGE_FORMS =
  'an image id (img_…), a task id (task_…, which stands for the results of that task), an https address, or a data URL ' +
  '(data:image/png;base64,…)'

export const editImage = defineTool({
  name: 'edit_image',
  description:
    'Edits images, or makes a new image with images as reference, for money. Takes results of generate_image by id. Returns ' +
    'the same as generate_image, and is as safe to repeat.',
  scope: 'GENERATE',
  annotations: { title: 'Edit image', ...PAID },
  input: z.strictObject({
    prompt: z.string().describe('What to change, and what to keep.'),
    images: z
      .array(z.string())
      .min(1)
      .describe(`Images to edit or to use as reference, 1 to 16. Each is ${IMAGE_FORMS}.`),
    mask: z
      .string()
      .optional()
      .describe('Image of the size of the first one; its transparent pixels are redrawn. In the same forms.'),
    markup: z
      .string()
      .optional()
      .describe('Hints drawn on a transparent PNG of the size of the first image. Not together with mask.'),
    ...SETTINGS,
    ...REPEAT,
    ...WAIT,
  }),
  output: TASK,
  run: (args, call) =>
    makeImage('edit_image', args, call, async () => {
      const { context, dataUrls } = call
      const images = await Promise.all(
        args.images.map((text, i) => readImages(context, dataUrls.get(text) ?? text, `images.${i}`)),
      )
      const [mask, markup] = await Promise.all([
        readGuide('mask', args.mask, call),
        readGuide('markup', args.markup, call),
      ])
      return { images: images.flat(), mask, markup }
    }),
})

type ReadInputs = () => Promise<Pick<TaskInput, 'images'> & Partial<Pick<TaskInput, 'mask' | 'markup'>>>
type MakeArguments = z.output<
  z.ZodObject<{ prompt: z.ZodString } & typeof SETTINGS & typeof REPEAT & typeof WAIT>
>

async function makeImage(tool: string, args: MakeArguments, call: ToolCall, readInputs: ReadInputs) {
  const { task, replayed } = await createTask(tool, args, call, readInputs)
  // Nothing holds the images during the wait.
  call.dataUrls.clear()
  call.release()
  const latest = await waitForTask(call, task, args.wait_seconds * 1000)
  return taskAnswer(call.context, latest, { replayed })
}

async function createTask(
  tool: string,
  args: MakeArguments,
  { context }: ToolCall,
  readInputs: ReadInputs,
): Promise<CreatedTask> {
  const { engine, caller } = context
  const identity = identityOf(tool, args, caller)
  const input = { ...DEFAULT_INPUT, prompt: args.prompt, ...readSettings(args), ...(await readInputs()) }
  return runAsStep(async () => {
    const idempotencyKey = await idempotencyKeyOf(context, identity)
    return engine.createTask(caller, { ...input, idempotencyKey })
  })
}

/** Throws BAD_USER_INPUT. */
async function readImages(context: McpContext, text: string, field: string): Promise<RawImage[]> {
  const imageId = readImageUri(text) ?? (text.startsWith('img_') ? text : undefined)
  if (imageId !== undefined) return [{ imageId }]
  if (text.startsWith('task_')) return resultsOf(context, text, field)
  if (text.startsWith('data:')) return [{ dataUrl: text }]
  if (URL.canParse(text)) return [{ url: text }]
  const shown = JSON.stringify(text.slice(0, 60))
  throw badInput(field, `${field} is ${shown}; it must be ${IMAGE_FORMS}. Paths of files are not read.`)
}

async function resultsOf(
  { db, projectId }: McpContext,
  taskId: string,
  field: string,
): Promise<{ imageId: string }[]> {
  const task = await findTask(db.read, projectId, taskId)
  if (!task) throw badInput(field, `There is no task ${JSON.stringify(taskId.slice(0, 60))}.`)
  const [attempts, assets] = await Promise.all([
    listAttempts(db.read, [taskId]),
    listAssets(db.read, [taskId]),
  ])
  const results = resultsAmong(attempts, assets)
  if (results.length === 0)
    throw badInput(field, `${taskId} is ${task.status} and has no image yet. Call get_task to wait for it.`)
  return results.map(({ id }) => ({ imageId: id }))
}

async function readGuide(
  field: 'mask' | 'markup',
  text: string | undefined,
  { context, dataUrls }: ToolCall,
): Promise<RawImage | null> {
  if (text === undefined) return null
  const [image, ...others] = await readImages(context, dataUrls.get(text) ?? text, field)
  if (others.length > 0)
    throw badInput(field, `${field} is a task with several images; pass the id of one image.`)
  return image ?? null
}
