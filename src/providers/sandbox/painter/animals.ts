// At (0, 0), about 200 units high, facing left.
import { mix, type Colour } from './colour.ts'
import type { Layout } from './layout.ts'

/** Darker at night, warmer at dusk. */
export function applySceneLight(layout: Layout, colour: Colour): Colour {
  const strength = { DAWN: 0.14, DAY: 0.04, DUSK: 0.2, NIGHT: 0.42 }[layout.scene.timeOfDay]
  return mix(colour, layout.palette.sky[layout.scene.timeOfDay === 'NIGHT' ? 0 : 1], strength)
}

export function drawFox(layout: Layout): string {
  const colour = (value: Colour) => applySceneLight(layout, value)
  const [coat, shade, deep] = [colour('#d8622a'), colour('#b84a20'), colour('#8f3417')]
  const [cream, socks, night] = [colour('#fbeee0'), colour('#3a2320'), colour('#1e1416')]
  return `
    <path d="M34 -2C86 4 134 -22 128 -74C126 -96 112 -112 98 -118C104 -92 92 -74 72 -64C46 -52 30 -30 34 -2Z" fill="${shade}"/>
    <path d="M98 -118C112 -112 126 -96 128 -74C129 -64 128 -56 125 -48C116 -60 106 -66 94 -80C101 -90 102 -104 98 -118Z" fill="${cream}"/>
    <path d="M44 -6C80 0 112 -18 118 -44C104 -22 76 -12 44 -16Z" fill="${deep}" fill-opacity="0.5"/>
    <path d="M-22 -122C10 -128 34 -108 46 -74C58 -44 58 -12 50 0L-34 0C-40 -34 -44 -84 -22 -122Z" fill="${coat}"/>
    <path d="M10 -116C34 -104 50 -74 54 -44C57 -22 55 -8 50 0L14 0C4 -14 10 -40 26 -44C34 -70 28 -96 10 -116Z" fill="${shade}"/>
    <path d="M14 0C4 -16 12 -42 30 -42C48 -42 56 -16 50 0Z" fill="${coat}"/>
    <path d="M6 0C8 -10 22 -13 32 -9C37 -7 37 -2 36 0Z" fill="${socks}"/>
    <path d="M-38 -100C-26 -114 -2 -112 4 -96C6 -72 -6 -44 -18 -34C-32 -48 -40 -76 -38 -100Z" fill="${cream}"/>
    <path d="M-34 -60C-37 -36 -37 -16 -39 0L-21 0C-19 -20 -19 -36 -18 -44Z" fill="${coat}"/>
    <path d="M-18 -44C-17 -30 -16 -14 -17 0L1 0C4 -22 6 -48 2 -66Z" fill="${shade}"/>
    <path d="M-38 -26C-38 -14 -38 -6 -41 0L-21 0C-19 -10 -19 -20 -19 -28C-25 -22 -32 -22 -38 -26Z" fill="${socks}"/>
    <path d="M-17 -24C-16 -14 -17 -6 -19 0L2 0C4 -10 5 -20 5 -28C-2 -21 -10 -20 -17 -24Z" fill="${night}"/>
    <path d="M-50 -142C-54 -166 -52 -186 -46 -198C-34 -190 -22 -176 -16 -160Z" fill="${coat}"/>
    <path d="M-46 -150C-48 -166 -47 -178 -44 -187C-36 -180 -28 -170 -24 -160Z" fill="${night}"/>
    <path d="M16 -142C20 -166 18 -186 12 -198C0 -190 -12 -176 -18 -160Z" fill="${shade}"/>
    <path d="M12 -150C14 -166 13 -178 10 -187C2 -180 -6 -170 -10 -160Z" fill="${night}"/>
    <path d="M-17 -164C-36 -164 -50 -154 -54 -140C-60 -132 -68 -124 -74 -116C-60 -112 -46 -106 -36 -96C-28 -88 -22 -84 -17 -82C-12 -84 -6 -88 2 -96C12 -106 26 -112 40 -116C34 -124 26 -132 20 -140C16 -154 2 -164 -17 -164Z" fill="${coat}"/>
    <path d="M-17 -164C2 -164 16 -154 20 -140C26 -132 34 -124 40 -116C26 -112 12 -106 2 -96C-6 -88 -12 -84 -17 -82Z" fill="${shade}" fill-opacity="0.45"/>
    <path d="M-74 -116C-60 -112 -46 -106 -36 -96C-28 -88 -22 -84 -17 -82C-16 -98 -24 -112 -34 -118C-46 -124 -60 -122 -74 -116Z" fill="${cream}"/>
    <path d="M40 -116C26 -112 12 -106 2 -96C-6 -88 -12 -84 -17 -82C-18 -98 -10 -112 0 -118C12 -124 26 -122 40 -116Z" fill="${cream}"/>
    <path d="M-43 -128C-38 -134 -29 -132 -26 -124C-32 -122 -39 -123 -43 -128Z" fill="${night}"/>
    <path d="M9 -128C4 -134 -5 -132 -8 -124C-2 -122 5 -123 9 -128Z" fill="${night}"/>
    <circle cx="-34" cy="-129" r="1.7" fill="${cream}"/><circle cx="0" cy="-129" r="1.7" fill="${cream}"/>
    <path d="M-25 -93C-22 -97 -12 -97 -9 -93C-10 -87 -14 -83 -17 -82C-20 -83 -24 -87 -25 -93Z" fill="${night}"/>`
}

export function drawCat(layout: Layout): string {
  const coat = applySceneLight(layout, '#2b2a33')
  const shade = mix(coat, '#000000', 0.3)
  const rim = mix(coat, layout.palette.light, 0.4)
  const side = `M-46 0C-60 -30 -56 -66 -36 -92C-30 -100 -30 -110 -36 -118C-42 -132 -40 -144 -34 -152L-38 -184C-28 -178 -20 -170 -15 -163C-6 -166 4 -166 13 -163`
  return `
    <path d="M40 -4C74 2 100 -10 104 -34C108 -56 92 -68 82 -58C76 -52 80 -44 88 -44C82 -28 62 -22 40 -26Z" fill="${shade}"/>
    <path d="${side}C18 -170 26 -178 36 -184L32 -152C38 -144 40 -132 34 -118C28 -110 28 -100 34 -92C54 -66 58 -30 44 0Z" fill="${coat}"/>
    <path d="${side}" fill="none" stroke="${rim}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.8"/>
    <path d="M-6 -112C-2 -80 -2 -40 0 -8" fill="none" stroke="${shade}" stroke-width="5" stroke-linecap="round" stroke-opacity="0.6"/>`
}

/** Distant, around (0, 0). */
export function drawBirds(layout: Layout): string {
  const random = layout.random('birds')
  const marks: string[] = []
  for (let index = 0; index < 13; index++) {
    const [x, y] = [random.between(-170, 170), random.between(-70, 50)]
    const wing = random.between(8, 19)
    const lift = random.between(0.25, 0.7) * wing
    marks.push(
      `M${x - wing} ${y - lift}q${wing * 0.6} ${-lift * 0.4} ${wing} ${lift}q${wing * 0.4} ${-lift * 1.4} ${wing} ${-lift}`,
    )
  }
  return `<path d="${marks.join('')}" fill="none" stroke="${mix(layout.palette.ground, '#10121c', 0.7)}" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>`
}
