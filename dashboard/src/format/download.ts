/** The address of an image, with which browsers save the file under its id. */
export function downloadUrl(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}download`
}
