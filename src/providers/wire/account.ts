import { z } from 'zod'

/** A key or token. With a line break or a space in it, it would be refused much later, as a header, and less clearly. */
export const credential = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable ASCII')

/** Where an upstream's paths begin. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must begin with https:// or http://' })
  .refine((text) => URL.parse(text)?.username === '', 'must not contain a user name; use apiKey')
