import type { Scope } from '../api/generated.ts'

/** Instead of a page that the key may not read. */
export function NoRight({ scope, text }: { scope: Scope; text: string }) {
  return (
    <>
      <title>No permission · Darkroom</title>
      <h1>{text}</h1>
      <p className="muted">
        The key lacks the scope <code>{scope}</code>.
      </p>
    </>
  )
}
