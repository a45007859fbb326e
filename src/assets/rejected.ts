type RejectionReason = 'EMPTY' | 'TYPE' | 'TOO_LARGE' | 'TOO_MANY_PIXELS' | 'CORRUPT'

/** The bytes are not an image that Darkroom takes. The message says what was found and what would be right. */
export class ImageRejected extends Error {
  override name = 'ImageRejected'
  readonly reason: RejectionReason

  constructor(reason: RejectionReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

/** A CORRUPT rejection of an image that claims to be `name`. */
export function corrupt(name: string, cause?: unknown): ImageRejected {
  const message = `The image says it is a ${name} but is damaged or cut short. Send the complete file.`
  return new ImageRejected('CORRUPT', message, cause)
}
