/** `#rrggbb`. */
export type Colour = string

/** `t` from 0 (`a`) to 1 (`b`). */
export function mix(a: Colour, b: Colour, t: number): Colour {
  const [from, to] = [channels(a), channels(b)]
  return hex(from.map((value, index) => value + ((to[index] ?? 0) - value) * t))
}

/** By `degrees`. */
export function turnHue(colour: Colour, degrees: number): Colour {
  const { hue, saturation, light } = toHsl(colour)
  return fromHsl(hue + degrees, saturation, light)
}

/** Hue in degrees; `t` from 0 (unchanged) to 1. */
export function tint(colour: Colour, hue: number, t: number): Colour {
  const { saturation, light } = toHsl(colour)
  return mix(colour, fromHsl(hue, Math.max(saturation, 0.35), light), t)
}

/** 0 to 255. */
export function channels(colour: Colour): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
}

function hex(values: readonly number[]): Colour {
  return `#${values.map(hexByte).join('')}`
}

function hexByte(value: number): string {
  const byte = Math.round(Math.min(255, Math.max(0, value)))
  return byte.toString(16).padStart(2, '0')
}

function toHsl(colour: Colour): { hue: number; saturation: number; light: number } {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => value / 255)
  const [high, low] = [Math.max(red, green, blue), Math.min(red, green, blue)]
  const [light, spread] = [(high + low) / 2, high - low]
  if (spread === 0) return { hue: 0, saturation: 0, light }
  const saturation = spread / (1 - Math.abs(2 * light - 1))
  if (high === red) return { hue: 60 * ((green - blue) / spread), saturation, light }
  if (high === green) return { hue: 60 * ((blue - red) / spread + 2), saturation, light }
  return { hue: 60 * ((red - green) / spread + 4), saturation, light }
}

// CSS Color 4, "HSL to RGB", closed form.
function fromHsl(hue: number, saturation: number, light: number): Colour {
  const reach = saturation * Math.min(light, 1 - light)
  const channel = (offset: number) => {
    const k = (((offset + hue / 30) % 12) + 12) % 12
    return 255 * (light - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
  }
  return hex([channel(0), channel(8), channel(4)])
}
