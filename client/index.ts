/**
 * The client of Darkroom, for browsers and for Node 20 and newer. See docs/client.md.
 *
 * ```ts
 * import { createClient } from 'darkroom/client'
 *
 * const darkroom = createClient({ url: 'http://127.0.0.1:4000' })
 * const task = await darkroom.generate({ prompt: 'a lighthouse at dusk', partialImages: 3 })
 * for await (const event of task) console.log(event.type, event.task.progress)
 * const [image] = await task.images()
 * ```
 */
export {
  createClient,
  type ClientOptions,
  type Darkroom,
  type FeedOptions,
  type WatchOptions,
} from './client.ts'
export {
  AccessError,
  BudgetError,
  ConflictError,
  ConnectionError,
  DarkroomError,
  InputError,
  NotFoundError,
  RateLimitError,
  ServerError,
  TaskError,
  UnavailableError,
} from './errors.ts'
export type * from './generated.ts'
export type { RequestOptions } from './request.ts'
export { srcSetOf } from './srcset.ts'
export type { RunningTask } from './task.ts'
export type { GenerateInput, ImageSource, UploadProgress } from './upload.ts'
