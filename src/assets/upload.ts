/** In the spool. Deleted when the request has been responded to. */
export class UploadedFile {
  readonly path: string
  readonly byteSize: number

  constructor(path: string, byteSize: number) {
    this.path = path
    this.byteSize = byteSize
  }
}
