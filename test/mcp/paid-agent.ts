// A server with keys, whose provider charges for every image, and agents with keys of their own.
import type { Scope } from '../../src/domain.ts'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { startOpenaiUpstream, type OpenaiUpstream } from '../providers/upstreams/openai.ts'
import { openAgent, type Agent } from './agent.ts'

export interface PaidAgents {
  keyed: GatewayWithKeys
  upstream: OpenaiUpstream
  /** An agent with a new key. */
  newAgent(scopes?: Scope[]): Promise<Agent & { key: string; keyId: string }>
  [Symbol.asyncDispose](): Promise<void>
}

export const AGENT_SCOPES: Scope[] = ['GENERATE', 'READ', 'REPORT']

export async function openPaidAgents(): Promise<PaidAgents> {
  const upstream = await startOpenaiUpstream()
  const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
  const keyed = await openGatewayWithKeys({ providers: [provider] })
  const agents: Agent[] = []
  return {
    keyed,
    upstream,
    async newAgent(scopes = AGENT_SCOPES) {
      const { key, id: keyId } = await keyed.newKey({ scopes })
      const agent = await openAgent({ url: keyed.url, key })
      agents.push(agent)
      return { ...agent, key, keyId }
    },
    async [Symbol.asyncDispose]() {
      upstream.release()
      await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
      await keyed[Symbol.asyncDispose]()
      await upstream.close()
    },
  }
}

/** A new prompt, since the same arguments are the same call. */
let prompts = 0
export const newPrompt = () => `a red fox in the snow, number ${++prompts}`
