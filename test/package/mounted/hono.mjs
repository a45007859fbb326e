import { once } from 'node:events'
import { serve } from '@hono/node-server'
import { createGateway } from 'darkroom'
import { Hono } from 'hono'
import { SETTINGS, visit, watchBySocket } from './visit.mjs'

const app = new Hono()
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/images`

const gateway = createGateway({ ...SETTINGS, publicUrl: url })
app.mount('/images', gateway.fetch)
server.on('upgrade', gateway.upgrade)

const seen = await visit(url)
process.stdout.write(JSON.stringify({ ...seen, socket: await watchBySocket(url, seen.id) }))
server.close()
await gateway.stop()
