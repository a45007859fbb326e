/** An SVG of 64x32 with this content. */
export function svgOf(content: string): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 64 32">${content}</svg>`,
  )
}

const ENTITIES = Array.from(
  { length: 9 },
  (_, nth) => `<!ENTITY e${nth + 1} "${`&e${nth};`.repeat(10)}">`,
).join('')

const USES = Array.from(
  { length: 12 },
  (_, nth) => `<g id="g${nth + 1}">${`<use href="#g${nth}"/>`.repeat(10)}</g>`,
).join('')

/** Never rendered; kept as they came. */
export const HOSTILE_SVGS: Readonly<Record<string, Buffer>> = {
  'an external image': svgOf('<image href="https://example.com/track.png" width="9" height="9"/>'),
  'an external image by xlink': svgOf("<image xlink:href='file:///etc/passwd' width='9' height='9'/>"),
  'an external style': svgOf('<style>@import "https://example.com/a.css";</style>'),
  'an external fill': svgOf('<rect fill="url(https://example.com/a.svg#b)" width="9" height="9"/>'),
  'an embedded image': svgOf('<image href="data:image/png;base64,iVBORw0KGgo=" width="9" height="9"/>'),
  'an entity bomb': Buffer.from(
    `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "x">${ENTITIES}]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>&e9;</text></svg>`,
  ),
  'an external entity': Buffer.from(
    '<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/passwd">]><svg viewBox="0 0 9 9"><text>&f;</text></svg>',
  ),
  '100,000 nested groups': svgOf('<g>'.repeat(100_000) + '</g>'.repeat(100_000)),
  '50 MB': svgOf(`<!--${'x'.repeat(50_000_000)}-->`),
  '30,000 elements': svgOf('<path d="M0 0h9"/>'.repeat(30_000)),
  'a bomb of uses': svgOf(`<g id="g0"><rect width="9" height="9"/></g>${USES}<use href="#g12"/>`),
  'a text cut short': Buffer.from('<svg viewBox="0 0 9 9"><g><rect width="9'),
}
