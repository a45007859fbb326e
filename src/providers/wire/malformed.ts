/** A reply that arrived whole but is not what its dialect promises. The message completes "the reply …". */
export class MalformedReply extends Error {
  override name = 'MalformedReply'
}

/** One whose picture is none, whatever the rest says. The next reply would have the same. */
export class MalformedPicture extends MalformedReply {}
