/** Short keys are guessed: 32 characters at random have more than 128 bits, however few different ones they use. */
const LEAST = 32

/** What is wrong with the key of the operator; undefined when nothing is. */
export function adminKeyProblem(key: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(key)) return 'it must be printable ASCII without spaces, to go into a header'
  if (key.length >= LEAST) return undefined
  return (
    `it must have at least ${LEAST} characters, because whoever guesses it may spend money; ` +
    '`openssl rand -base64 33` makes a good one'
  )
}
