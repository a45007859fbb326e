/** Alpha below this is redrawn. */
const THRESHOLD = 128

/** The pixels of a PNG with alpha. Rejects with what is wrong with it. */
export async function importMask(
  file: Blob,
  { width, height }: { width: number; height: number },
): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error('The mask cannot be decoded. Use a PNG with an alpha channel.')
  })
  if (bitmap.width !== width || bitmap.height !== height)
    throw new Error(
      `The mask has ${bitmap.width} × ${bitmap.height} pixels; the image has ${width} × ${height}.`,
    )
  const context = new OffscreenCanvas(width, height).getContext('2d')
  if (!context) throw new Error('The browser has no canvas.')
  context.drawImage(bitmap, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const pixels = new Uint8Array(width * height)
  for (let index = 0; index < pixels.length; index++)
    pixels[index] = (data[index * 4 + 3] ?? 255) < THRESHOLD ? 1 : 0
  if (!pixels.includes(1)) throw new Error('The mask has no transparent pixel: nothing would be redrawn.')
  return pixels
}
