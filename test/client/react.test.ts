// Rendering on a server. test/debian/ has the hooks in a browser.
import { createElement, StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Task } from '../../client/index.ts'
import { DarkroomProvider, TaskImage, useTask } from '../../client/react/index.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let server: TestGateway
let task: Task

beforeAll(async () => {
  server = await openGateway()
  const darkroom = createClient({ url: server.url })
  const running = await darkroom.generate({ prompt: 'a ferry & "fog"', partialImages: 1 })
  await running.images()
  task = (await darkroom.task(running.id))!
})
afterAll(() => server?.[Symbol.asyncDispose]())

describe('TaskImage', () => {
  it('renders the result with its sizes, placeholder and alternative text', () => {
    const html = renderToString(createElement(TaskImage, { task, sizes: '50vw', className: 'hero' }))
    const [image] = task.images
    expect(html).toContain(
      `srcSet="${image!.url320} 320w, ${image!.url640} 640w, ${image!.url} 1024w"`.replaceAll('&', '&amp;'),
    )
    expect(html).toContain('alt="a ferry &amp; &quot;fog&quot;"')
    for (const part of [
      'sizes="50vw"',
      'class="hero"',
      'width="1024"',
      'data-state="final"',
      'aria-busy="false"',
    ])
      expect(html).toContain(part)
    expect(html).toMatch(/background-image:url\(data:image\/png;base64,/)
  })

  it('renders the latest partial image, and before it an empty place of the requested shape', () => {
    const partial = renderToString(
      createElement(TaskImage, { task: { ...task, status: 'RUNNING', images: [] } }),
    )
    expect(partial).toContain(`src="${task.partialImages.at(-1)!.image.url}"`)
    expect(partial).toContain('data-state="partial" aria-busy="true"')
    const empty = { ...task, status: 'QUEUED', images: [], partialImages: [], size: '1536x1024' } as const
    expect(
      renderToString(
        createElement(TaskImage, { task: { ...empty, images: [], partialImages: [] }, alt: 'soon' }),
      ),
    ).toBe(
      '<span data-state="empty" aria-busy="true" role="img" aria-label="soon" style="display:block;aspect-ratio:1536 / 1024"></span>',
    )
  })
})

describe('useTask', () => {
  it('renders a state that the server has read, and connects nowhere', () => {
    const client = createClient({ url: 'http://127.0.0.1:1' })
    const page = createElement(
      StrictMode,
      null,
      createElement(DarkroomProvider, { client }, createElement(View)),
    )
    expect(renderToString(page)).toBe('<p>SUCCEEDED</p>')
    expect(() => renderToString(createElement(View))).toThrow('There is no <DarkroomProvider')
  })
})

function View() {
  const { task: known, error } = useTask(task.id, task)
  return createElement('p', null, error ? 'error' : `${known?.status}`)
}
