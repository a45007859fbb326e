import { useCallback, useEffect, useState } from 'react'
import { DarkroomError } from '../api/connection.ts'
import { ReadImage, type ImageDetail } from '../api/generated.ts'
import { useSession } from '../session/context.ts'

/** All of an image. The error of a missing one has the code NOT_FOUND. */
export function useImage(id: string) {
  const { connection } = useSession()
  const [image, setImage] = useState<ImageDetail>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    const read = async () => {
      const node = await connection.read(ReadImage, { id }, abort.signal)
      // A node of another type has none of the fields.
      if (node.id === undefined) throw new DarkroomError('NOT_FOUND', `${id} is not an image.`)
      setImage(node as ImageDetail)
      setError(undefined)
    }
    read().catch((problem: unknown) => {
      if (!abort.signal.aborted) setError(problem as Error)
    })
    return () => abort.abort()
  }, [connection, id, reads])
  const reload = useCallback(() => setReads((count) => count + 1), [])
  return { image: image?.id === id ? image : undefined, error, reload }
}
