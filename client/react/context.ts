import { createContext, createElement, useContext, type ReactElement, type ReactNode } from 'react'
import type { Darkroom } from '../index.ts'

const Context = createContext<Darkroom | null>(null)

/** Gives a client to the hooks below it. Create the client once, outside of components. */
export function DarkroomProvider(props: { client: Darkroom; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: props.client }, props.children)
}

/** Throws without a provider. */
export function useDarkroom(): Darkroom {
  const client = useContext(Context)
  if (!client) throw new Error('There is no <DarkroomProvider client={…}> above this component.')
  return client
}
