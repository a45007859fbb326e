/**
 * A gateway to mount in your own server.
 *
 * ```js
 * import { createGateway } from 'darkroom'
 *
 * const gateway = createGateway({
 *   adminKey: process.env.DARKROOM_ADMIN_KEY,
 *   publicUrl: 'https://images.example.com',
 *   providers: [{ name: 'openai', dialect: 'openai', apiKey: process.env.OPENAI_API_KEY }],
 * })
 * const response = await gateway.fetch(request)
 * ```
 *
 * For node:http, Hono and Next.js see docs/install.md.
 */
export { ConfigError } from './config/error.ts'
export { loadConfig, type LoadConfigOptions } from './embedded/config.ts'
export {
  createGateway,
  type EmbeddedGateway as Gateway,
  type EmbeddedGatewayConfig,
} from './embedded/gateway.ts'
export type { GatewayLog } from './embedded/log.ts'
export type {
  AcedataProviderConfig,
  BasicProviderConfig,
  ChargesConfig,
  EngineConfig,
  GatewayConfig,
  ImagePriceConfig,
  JimmyProviderConfig,
  LimitsConfig,
  ModelConfig,
  OpenaiProviderConfig,
  PmockProviderConfig,
  ProviderConfig,
  RetentionConfig,
  SandboxProviderConfig,
  TokenPriceConfig,
  UnknownCostConfig,
} from './config/input.ts'
