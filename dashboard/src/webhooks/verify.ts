// The program of a receiver, as in the documentation.
export const VERIFY = `// npm install standardwebhooks
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

const webhook = new Webhook(process.env.WEBHOOK_SECRET) // whsec_…
createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request)).toString() // the raw body: the signature covers its bytes
  try {
    const { type, data } = webhook.verify(body, request.headers) // throws if forged, changed or older than 5 minutes
    console.log(request.headers['webhook-id'], type, data) // one id may arrive twice
    response.writeHead(204).end()
  } catch {
    response.writeHead(400).end()
  }
}).listen(3000)`
