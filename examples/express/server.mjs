// An Express server with the gateway at /images. Open http://localhost:3000.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createGateway } from 'darkroom'
import express from 'express'

const port = Number(process.env.PORT ?? 3000)
const gateway = createGateway({
  publicUrl: `http://localhost:${port}/images`,
  // For this machine only. Elsewhere, set `adminKey`, check the session of your user, and add the key to the request.
  allowAnonymous: true,
})

const app = express()
// Before anything that reads bodies.
app.use('/images', gateway.handle)
// The page imports the client as it is, without a build step.
const packageFolder = dirname(createRequire(import.meta.url).resolve('darkroom/package.json'))
app.use('/darkroom-client', express.static(join(packageFolder, 'dist/client')))
app.use(express.static(join(import.meta.dirname, '../html')))

const server = app.listen(port, 'localhost', () => console.log(`http://localhost:${port}`))
server.on('upgrade', gateway.upgrade)

process.once('SIGTERM', () => {
  server.close()
  void gateway.stop()
})
