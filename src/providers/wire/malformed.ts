/** A complete reply that its dialect cannot read. The message completes "the reply …". */
export class MalformedReply extends Error {
  override name = 'MalformedReply'
}

/** The image of a reply is unreadable, and the next reply would hold the same. */
export class MalformedImage extends MalformedReply {}
