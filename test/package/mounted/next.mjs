// Calls the route handlers as Next.js does: with a Request and the context of the route, expecting the global Response.
import { gateway, GET, POST } from './next-route.mjs'
import { visit } from './visit.mjs'

const seen = await visit('https://shop.example.com/images', async (request) => {
  const path = new URL(request.url).pathname.split('/').slice(2)
  const response = await (request.method === 'POST' ? POST : GET)(request, {
    params: Promise.resolve({ path }),
  })
  if (!(response instanceof Response)) throw new Error('The handler returned no Response.')
  return response
})
process.stdout.write(JSON.stringify(seen))
await gateway.stop()
