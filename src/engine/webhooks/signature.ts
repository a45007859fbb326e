import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'

/** A new secret as receivers are shown it: 32 random bytes, within the 24 to 64 that Standard Webhooks asks for. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/**
 * The headers of one try, by github.com/standard-webhooks/standard-webhooks. The id is the same in every try of a
 * delivery, which is how a receiver knows what it has had; the moment and with it the signature are each try's own.
 */
export function signedHeaders(
  secret: string,
  message: { id: string; at: number; body: string },
): Record<string, string> {
  const { id, at, body } = message
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(at), body),
  }
}
