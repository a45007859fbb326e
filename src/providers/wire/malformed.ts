/** Completes "the reply …". */
export class MalformedReply extends Error {
  override name = 'MalformedReply'
}

/** An unreadable image: the next reply would hold the same. */
export class MalformedImage extends MalformedReply {}
