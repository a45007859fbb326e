import type { Image } from './generated.ts'

const RENDITIONS = [
  ['url320', 320],
  ['url640', 640],
  ['url1280', 1280],
] as const

export function srcSetOf(image: Image): string {
  // Renditions fit into a box and are never enlarged.
  const smaller = RENDITIONS.filter(([, width]) => width < image.width)
  return [...smaller.map(([name, width]) => `${image[name]} ${width}w`), `${image.url} ${image.width}w`].join(
    ', ',
  )
}
