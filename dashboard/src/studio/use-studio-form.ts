import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ReadStudioImages, ReadStudioTask, type StudioImage } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import {
  addressProblem,
  isProblem,
  MAX_IMAGES,
  moveImage,
  readFile,
  readLibraryImage,
  release,
  type FileProblem,
  type InputImage,
} from './images/input-images.ts'
import { useMasks } from './use-masks.ts'
import { DEFAULT_SETTINGS, settingsOfTask, type StudioSettings } from './settings.ts'

export type StudioForm = ReturnType<typeof useStudioForm>

let lastKey = 0
const newKey = () => `image-${++lastKey}`

/** Prompt, settings and images. Filled in from the image or the task of the URL, which also has model and provider. */
export function useStudioForm() {
  const { connection } = useSession()
  const search = useSearch({ from: '/studio' })
  const navigate = useNavigate({ from: '/studio' })
  const [prompt, setPrompt] = useState('')
  const [settings, setSettings] = useState<StudioSettings>(() => ({
    ...DEFAULT_SETTINGS,
    model: search.model ?? DEFAULT_SETTINGS.model,
    provider: search.provider,
  }))
  const [images, setImages] = useState<readonly InputImage[]>([])
  const [problems, setProblems] = useState<readonly FileProblem[]>([])
  const [filling, setFilling] = useState<{ error?: Error }>()
  /** The prompt that needs no question before leaving: sent, or filled in. */
  const [kept, setKept] = useState('')
  const sentPrompt = useRef('')
  const masks = useMasks(images)
  const fillMask = useRef(masks.fill)
  const current = useRef(images)
  useEffect(() => {
    current.current = images
  }, [images])
  useEffect(
    () => () => {
      for (const one of current.current) release(one)
    },
    [],
  )

  const replaceImages = useCallback((next: readonly InputImage[]) => {
    for (const one of current.current) if (!next.includes(one)) release(one)
    setImages(next)
  }, [])

  const { from, task } = search
  const [fills, setFills] = useState(0)
  useEffect(() => {
    if (from === undefined && task === undefined) return undefined
    const abort = new AbortController()
    const { signal } = abort
    const fill = async () => {
      setFilling({})
      if (task !== undefined) {
        const found = await connection.read(ReadStudioTask, { id: task }, signal)
        const inputs = await Promise.all(found.inputImages.map((image) => readLibraryImage(image, newKey())))
        if (signal.aborted) return
        setPrompt(found.prompt)
        setKept(found.prompt)
        setSettings(settingsOfTask(found))
        replaceImages(inputs)
        if (found.mask && inputs[0]) await fillMask.current(inputs[0], found.mask)
      }
      if (from !== undefined) {
        const [image] = await connection.read(ReadStudioImages, { ids: [from] }, signal)
        if (image?.id === undefined) throw new Error(`This project has no image ${from}.`)
        const input = await readLibraryImage(image as StudioImage, newKey())
        if (signal.aborted) return
        replaceImages([input])
        // The one that was sent belongs to the earlier image.
        if (task === undefined) setPrompt((last) => (last.trim() === sentPrompt.current.trim() ? '' : last))
      }
      setFilling(undefined)
    }
    fill().catch((error: unknown) => {
      if (!signal.aborted) setFilling({ error: error as Error })
    })
    return () => abort.abort()
  }, [connection, replaceImages, from, task, fills])

  function change(part: Partial<StudioSettings>): void {
    setSettings((last) => ({ ...last, ...part }))
    if (!('model' in part) && !('provider' in part)) return
    const next = { ...settings, ...part }
    void navigate({
      search: (last) => ({
        ...last,
        model: next.model === DEFAULT_SETTINGS.model ? undefined : next.model,
        provider: next.provider,
      }),
      replace: true,
      resetScroll: false,
    })
  }

  function add(found: readonly (InputImage | FileProblem)[]): void {
    const room = MAX_IMAGES - current.current.length
    const fitting = found.flatMap((one) => (isProblem(one) ? [] : [one]))
    const rest = fitting.slice(room)
    for (const one of rest) release(one)
    setProblems([
      ...found.filter(isProblem),
      ...rest.map(({ name }) => ({ name, message: `is one too many; the maximum is ${MAX_IMAGES} images.` })),
    ])
    setImages([...current.current, ...fitting.slice(0, room)])
  }

  return {
    prompt,
    setPrompt,
    settings,
    change,
    images,
    problems,
    clearProblems: () => setProblems([]),
    filling,
    fillAgain: () => setFills(fills + 1),
    masks,
    isUnsent: masks.isUnsent || (prompt.trim() !== '' && prompt.trim() !== kept.trim()),
    keep: () => {
      setKept(prompt)
      sentPrompt.current = prompt
      masks.keep()
    },
    addFiles: async (files: readonly File[]) =>
      add(await Promise.all(files.map((file) => readFile(file, newKey())))),
    addAddress: (url: string) => {
      const message = addressProblem(url)
      if (message !== undefined) return message
      add([{ key: newKey(), name: new URL(url).host, source: { url }, preview: undefined, size: undefined }])
      return undefined
    },
    addLibrary: async (chosen: readonly StudioImage[]) => add(await Promise.all(chosen.map(readChosen))),
    move: (from_: number, to: number) => setImages(moveImage(images, from_, to)),
    remove: (key: string) => {
      replaceImages(images.filter((one) => one.key !== key))
      setProblems([])
      if (from !== undefined)
        void navigate({ search: (last) => ({ ...last, from: undefined }), replace: true, resetScroll: false })
    },
  }
}

async function readChosen(image: StudioImage): Promise<InputImage | FileProblem> {
  try {
    return await readLibraryImage(image, newKey())
  } catch (error) {
    return { name: image.id, message: (error as Error).message }
  }
}
