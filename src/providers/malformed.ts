/** A reply that arrived whole but is not what its dialect promises. The message completes "the reply …". */
export class MalformedReply extends Error {
  override name = 'MalformedReply'
}
