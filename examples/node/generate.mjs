// node generate.mjs "a lighthouse at dusk"
import { writeFile } from 'node:fs/promises'
import { createClient, DarkroomError } from 'darkroom/client'

const darkroom = createClient({
  url: process.env.DARKROOM_URL ?? 'http://127.0.0.1:4000',
  key: process.env.DARKROOM_API_KEY,
})

try {
  const task = await darkroom.generate({
    prompt: process.argv[2] ?? 'a lighthouse at dusk',
    partialImages: 3,
  })
  for await (const event of task) console.log(event.type, event.task.progress)
  const [image] = await task.images()
  const file = await fetch(image.url)
  await writeFile('image.png', new Uint8Array(await file.arrayBuffer()))
  console.log(`image.png, ${image.width}×${image.height}, ${task.state.costMicros ?? 'unknown'} micro-USD`)
} catch (error) {
  if (!(error instanceof DarkroomError)) throw error
  console.error(`${error.code}: ${error.message} Charged: ${error.charged}.`)
  process.exitCode = 1
}
