// As app/images/[...path]/route.js of Next.js, which evaluates it again after each change, hence the global.
import { createGateway } from 'darkroom'
import { SETTINGS } from './visit.mjs'

export const gateway = (globalThis.darkroom ??= createGateway({
  ...SETTINGS,
  publicUrl: 'https://shop.example.com/images',
}))

export const { GET, POST } = { GET: gateway.fetch, POST: gateway.fetch }
