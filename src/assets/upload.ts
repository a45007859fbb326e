/** A file of a request, in the spool. It is deleted when the request has been responded to. */
export class UploadedFile {
  readonly path: string
  readonly byteSize: number

  constructor(path: string, byteSize: number) {
    this.path = path
    this.byteSize = byteSize
  }
}
