import { once } from 'node:events'
import { createServer } from 'node:http'
import { createGateway } from 'darkroom'
import { SETTINGS, visit, watchBySocket } from './visit.mjs'

const gateway = createGateway(SETTINGS)
const server = createServer(gateway.handle).on('upgrade', gateway.upgrade).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}`

const seen = await visit(url)
process.stdout.write(JSON.stringify({ ...seen, socket: await watchBySocket(url, seen.id) }))
server.close()
await gateway.stop()
