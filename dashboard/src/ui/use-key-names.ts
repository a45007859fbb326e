import { ListKeyNames } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { useRead } from './use-read.ts'

/** Names of the project's API keys by id. Empty until they were read. */
export function useKeyNames(): ReadonlyMap<string, string> {
  const { may } = useSession()
  const { data } = useRead(
    async (connection, signal) => {
      const { keys } = await connection.read(ListKeyNames, {}, signal)
      return new Map(keys.nodes.map(({ id, name }) => [id, name]))
    },
    'key names',
    { isEnabled: may('READ') },
  )
  return data ?? NONE
}

const NONE: ReadonlyMap<string, string> = new Map()
