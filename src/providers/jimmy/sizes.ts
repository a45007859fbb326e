export interface Shape {
  ratio: string
  resolution: '1k' | '2k' | '4k'
}

/**
 * docs.jimmyai.cn (Create Image Task) lists ratios and resolutions. The pixels are those of OpenAI's guide for
 * gpt-image-2 and of other sellers of the same pairs (docs.apiyi.com, docs.uniall.ai).
 */
export const SHAPES: Readonly<Record<string, Shape>> = {
  auto: { ratio: 'auto', resolution: '1k' },
  '1024x1024': { ratio: '1:1', resolution: '1k' },
  '1536x1024': { ratio: '3:2', resolution: '1k' },
  '1024x1536': { ratio: '2:3', resolution: '1k' },
  '1024x768': { ratio: '4:3', resolution: '1k' },
  '768x1024': { ratio: '3:4', resolution: '1k' },
  '1280x1024': { ratio: '5:4', resolution: '1k' },
  '1024x1280': { ratio: '4:5', resolution: '1k' },
  '1536x864': { ratio: '16:9', resolution: '1k' },
  '864x1536': { ratio: '9:16', resolution: '1k' },
  '1536x512': { ratio: '3:1', resolution: '1k' },
  '512x1536': { ratio: '1:3', resolution: '1k' },
  '2048x2048': { ratio: '1:1', resolution: '2k' },
  '2048x1536': { ratio: '4:3', resolution: '2k' },
  '1536x2048': { ratio: '3:4', resolution: '2k' },
  '2048x1152': { ratio: '16:9', resolution: '2k' },
  '1152x2048': { ratio: '9:16', resolution: '2k' },
  '2048x1024': { ratio: '2:1', resolution: '2k' },
  '1024x2048': { ratio: '1:2', resolution: '2k' },
  '2048x864': { ratio: '21:9', resolution: '2k' },
  '864x2048': { ratio: '9:21', resolution: '2k' },
  '2880x2880': { ratio: '1:1', resolution: '4k' },
  '3840x2160': { ratio: '16:9', resolution: '4k' },
  '2160x3840': { ratio: '9:16', resolution: '4k' },
}
