// Calls the route handlers of examples/nextjs as Next.js does.
import { GET, POST } from './examples/nextjs/app/images/[...path]/route.ts'
import { visit } from './visit.mjs'

const seen = await visit('http://localhost:3000/images', (request) =>
  (request.method === 'POST' ? POST : GET)(request, { params: Promise.resolve({}) }),
)
process.stdout.write(JSON.stringify(seen))
await globalThis.darkroom.stop()
