// The page of react-page.test.ts. It is bundled for the browser.
import { createElement, StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient } from '../../client/index.ts'
import {
  DarkroomProvider,
  TaskImage,
  useGenerateImage,
  useTask,
  useTaskFeed,
} from '../../client/react/index.ts'

declare global {
  /** What the page has shown, for the test. */
  var shown: string[]
}

// Only what this page uses of a browser: the project is checked with the types of Node.
const browser = globalThis as unknown as {
  document: { querySelector(selector: string): Element }
  location: { search: string }
  history: { replaceState(state: null, title: string, url: string): void }
}
const parameters = new URLSearchParams(browser.location.search)
const darkroom = createClient({
  url: parameters.get('server') ?? '/',
  transport: parameters.get('transport') === 'sse' ? 'sse' : 'auto',
})
globalThis.shown = []

/** Generates with a button, and with an effect if the page is asked to: strict mode runs effects twice. */
function Generator() {
  const [id, setId] = useState(parameters.get('task'))
  const { generate, isPending, error } = useGenerateImage()
  const { task } = useTask(id)
  const { tasks } = useTaskFeed()

  async function start() {
    const created = await generate({ prompt: 'a ferry [sandbox:duration=8000]', partialImages: 3 })
    parameters.set('task', created.id)
    browser.history.replaceState(null, '', `?${String(parameters)}`)
    setId(created.id)
  }
  useEffect(() => {
    if (parameters.has('effect')) void start()
  }, [])
  useEffect(() => {
    globalThis.shown.push(`${task?.status ?? 'none'} ${task?.partialImages.length ?? 0}`)
  }, [task])

  return createElement(
    'main',
    null,
    createElement('button', { onClick: () => void start(), disabled: isPending }, 'Generate'),
    createElement('output', null, error?.message ?? task?.status ?? 'none'),
    createElement('ul', null, ...tasks.map((one) => createElement('li', { key: one.id }, one.status))),
    createElement(TaskImage, { task, sizes: '512px' }),
  )
}

createRoot(browser.document.querySelector('#root')).render(
  createElement(
    StrictMode,
    null,
    createElement(DarkroomProvider, { client: darkroom }, createElement(Generator)),
  ),
)
