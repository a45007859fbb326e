/** Completes "the reply …". */
export class MalformedReply extends Error {
  override name = 'MalformedReply'
}

/** The next reply would be the same. */
export class MalformedImage extends MalformedReply {}
