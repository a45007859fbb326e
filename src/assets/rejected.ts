type RejectionReason = 'EMPTY' | 'TYPE' | 'TOO_LARGE' | 'TOO_MANY_PIXELS' | 'CORRUPT'

/** The bytes are not an acceptable image. The message names the problem and the remedy. */
export class ImageRejected extends Error {
  override name = 'ImageRejected'
  readonly reason: RejectionReason

  constructor(reason: RejectionReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

export function corrupt(format: string, cause?: unknown): ImageRejected {
  const message = `The image has the signature of a ${format} but is damaged or cut short. Send the complete file.`
  return new ImageRejected('CORRUPT', message, cause)
}
