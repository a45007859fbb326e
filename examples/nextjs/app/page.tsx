'use client'

import { createClient } from 'darkroom/client'
import { DarkroomProvider, TaskImage, useGenerateImage, useTask } from 'darkroom/react'
import { useEffect, useState } from 'react'

// Route handlers support no WebSocket.
const darkroom = createClient({ url: 'http://localhost:3000/images', transport: 'sse' })

export default function Page() {
  return (
    <DarkroomProvider client={darkroom}>
      <Generator />
    </DarkroomProvider>
  )
}

function Generator() {
  const [id, setId] = useState<string | null>(null)
  const { generate, isPending, error } = useGenerateImage()
  const { task } = useTask(id)

  // After a reload, the page continues to watch the task in its URL.
  useEffect(() => setId(new URLSearchParams(location.search).get('task')), [])

  async function submit(form: FormData) {
    const created = await generate({ prompt: String(form.get('prompt')), partialImages: 3 })
    history.replaceState(null, '', `?task=${created.id}`)
    setId(created.id)
  }

  return (
    <form action={submit}>
      <input name="prompt" defaultValue="a lighthouse at dusk" aria-label="Prompt" />
      <button disabled={isPending}>Generate</button>
      <p>{error ? error.message : task && `${task.status}, ${Math.round(task.progress * 100)} %`}</p>
      <TaskImage task={task} sizes="512px" style={{ width: 512 }} />
    </form>
  )
}
