// A client that sends many images at once.
import { noisyPng, paddedPng, sendDataUrl, upload, type UploadResult } from '../../test/support/uploads.ts'
import { serve } from '../child.ts'

export type UploadKind = 'padded upload' | 'upload' | 'data URL'

const verbs = {
  /** Sends `count` images of `bytes`, and returns how many created a task, and how many were refused with "ask again". */
  async send({ url, kind, count, bytes }: { url: string; kind: UploadKind; count: number; bytes: number }) {
    const image = kind === 'padded upload' ? await paddedPng(bytes) : await noisyPng(bytes)
    const dataUrl = kind === 'data URL' ? `data:image/png;base64,${image.toString('base64')}` : undefined
    const send = () => (dataUrl === undefined ? upload(url, image) : sendDataUrl(url, dataUrl))
    const start = performance.now()
    const results = await Promise.all(Array.from({ length: count }, send))
    return {
      created: results.filter(({ taskId }) => taskId !== undefined).length,
      askedAgain: results.filter(isAskAgain).length,
      ms: performance.now() - start,
    }
  },
}

export type UploaderVerbs = typeof verbs

serve(verbs)

function isAskAgain({ status, retryAfter }: UploadResult): boolean {
  return status === 503 && retryAfter !== undefined
}
