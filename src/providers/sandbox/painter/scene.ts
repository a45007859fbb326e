// By keywords of the prompt.
import type { Random } from './random.ts'

export type LandscapeKind = 'MOUNTAINS' | 'SEA' | 'FOREST' | 'CITY' | 'DESERT' | 'MEADOW' | 'ABSTRACT'
export type TimeOfDay = 'DAWN' | 'DAY' | 'DUSK' | 'NIGHT'
export type Weather = 'CLEAR' | 'SNOW' | 'RAIN' | 'MIST'
export type Subject = 'FOX' | 'CAT' | 'LIGHTHOUSE' | 'CABIN' | 'BOAT' | 'BALLOON' | 'TREE' | 'BIRDS'

export interface Scene {
  landscape: LandscapeKind
  timeOfDay: TimeOfDay
  weather: Weather
  /** Unique; may be empty. */
  subjects: readonly Subject[]
  /** In degrees; null if the prompt names no colour. */
  hue: number | null
}

const LANDSCAPES: readonly [LandscapeKind, RegExp][] = [
  ['ABSTRACT', /\b(abstract|pattern|geometric|shapes|cubis[mt]|dream|music|logo|icon)\b|抽象/iu],
  [
    'CITY',
    /\b(city|cities|street|town|skyline|neon|skyscrapers?|downtown|urban|cyberpunk|tokyo|york)\b|城|街/iu,
  ],
  ['DESERT', /\b(desert|dunes?|sand|sahara|oasis|camels?|mars)\b|沙漠/iu],
  ['FOREST', /\b(forests?|woods?|jungle|pines?|woodland)\b|森|林/iu],
  [
    'SEA',
    /\b(sea|ocean|coast|beach|waves?|harbou?r|island|lighthouse|boats?|ships?|sail\w*|lakes?|whale)\b|海|湖|灯塔/iu,
  ],
  [
    'MEADOW',
    /\b(meadow|fields?|flowers?|garden|hills?|spring|poppy|poppies|tulips?|farm|balloons?)\b|花|草/iu,
  ],
  ['MOUNTAINS', /\b(mountains?|alps?|peaks?|valley|summit|himalayas?|glacier|fjord)\b|山/iu],
]

const TIMES_OF_DAY: readonly [TimeOfDay, RegExp][] = [
  ['NIGHT', /\b(night|midnight|moon\w*|stars?|starry|dark|neon|aurora|galaxy)\b|夜|月|星/iu],
  ['DUSK', /\b(dusk|sunset|evening|twilight|autumn)\b|黄昏|夕/iu],
  ['DAWN', /\b(dawn|sunrise|morning|daybreak)\b|黎明|晨/iu],
  ['DAY', /\b(day|noon|sunny|summer|bright|blue sky)\b|白天|晴/iu],
]

const WEATHERS: readonly [Weather, RegExp][] = [
  ['SNOW', /\b(snow\w*|winter|ice|icy|frost\w*|christmas)\b|雪|冬/iu],
  ['RAIN', /\b(rain\w*|storm\w*|wet)\b|雨/iu],
  ['MIST', /\b(mist\w*|fog\w*|haz[ey]|clouds?|cloudy)\b|雾|云/iu],
]

const SUBJECTS: readonly [Subject, RegExp][] = [
  ['LIGHTHOUSE', /\blighthouses?\b|灯塔/iu],
  ['CABIN', /\b(cabins?|house|cottages?|huts?|home|farm)\b|屋|房/iu],
  ['TREE', /\b(trees?|oak|cherry|blossoms?)\b|树/iu],
  ['BOAT', /\b(boats?|ships?|sail\w*|yacht)\b|船/iu],
  ['BALLOON', /\bballoons?\b|气球/iu],
  ['FOX', /\b(fox|foxes|vixen)\b|狐/iu],
  ['CAT', /\b(cats?|kitten|kitty)\b|猫/iu],
  ['BIRDS', /\b(birds?|gulls?|seagulls?|geese|crows?|swallows?|eagles?)\b|鸟/iu],
]

const HUES: readonly [number, RegExp][] = [
  [355, /\b(red|crimson|scarlet|ruby)\b|红/iu],
  [25, /\b(orange|amber|copper)\b|橙/iu],
  [45, /\b(yellow|gold|golden)\b|黄|金/iu],
  [130, /\b(green|emerald)\b|绿/iu],
  [180, /\b(teal|turquoise|cyan)\b|青/iu],
  [215, /\b(blue|azure|indigo)\b|蓝/iu],
  [275, /\b(purple|violet|lavender|lilac)\b|紫/iu],
  [330, /\b(pink|rose|magenta)\b|粉/iu],
]

/** `random` decides what the prompt leaves open. */
export function readScene(prompt: string, random: Random): Scene {
  const subjects = SUBJECTS.filter(([, words]) => words.test(prompt)).map(([subject]) => subject)
  // Always draws both: a further keyword then changes nothing else.
  const anyLandscape = random.pick<LandscapeKind>([
    'MOUNTAINS',
    'MOUNTAINS',
    'SEA',
    'FOREST',
    'DESERT',
    'MEADOW',
    'ABSTRACT',
  ])
  const anyTime = random.pick<TimeOfDay>(['DAWN', 'DAY', 'DUSK', 'DUSK', 'NIGHT'])
  const landscape = first(LANDSCAPES, prompt) ?? (subjects.length > 0 ? 'MOUNTAINS' : anyLandscape)
  const weather = first(WEATHERS, prompt) ?? 'CLEAR'
  return {
    landscape,
    weather,
    subjects,
    timeOfDay: first(TIMES_OF_DAY, prompt) ?? anyTime,
    hue: hueOf(prompt, subjects),
  }
}

function first<T>(vocabulary: readonly [T, RegExp][], prompt: string): T | undefined {
  return vocabulary.find(([, words]) => words.test(prompt))?.[0]
}

// "a red fox": the fox's colour, not the scene's.
function hueOf(prompt: string, subjects: readonly Subject[]): number | null {
  return subjects.some((subject) => subject !== 'BIRDS') ? null : (first(HUES, prompt) ?? null)
}
