const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  clock: 'M8 4.5V8l2.4 1.6M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  drop: 'M8 2.2S3.8 6.7 3.8 9.6a4.2 4.2 0 0 0 8.4 0C12.2 6.7 8 2.2 8 2.2z',
  stop: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.8 3.8l8.4 8.4',
  question: 'M5.8 6a2.2 2.2 0 1 1 3.1 2c-.6.3-.9.7-.9 1.4M8 12v.1',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13.2 9.7A5.6 5.6 0 0 1 6.3 2.8a5.6 5.6 0 1 0 6.9 6.9z',
  system: 'M2.5 3h11v7.5h-11zM5.5 13h5M8 10.5V13',
  lock: 'M4 7.2h8v6H4zM5.7 7.2V5a2.3 2.3 0 0 1 4.6 0v2.2',
  link: 'M2 8.5h3l2-5 2.5 9 2-4H14',
  broken: 'M2 8.5h2.6M11.4 8.5H14M6.2 5.5l3.6 6',
  back: 'M10 3L5 8l5 5',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  again: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  download: 'M8 2.5v7.3M4.8 7L8 10.2 11.2 7M3 13h10',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3l8 5-8 5z',
  plus: 'M8 3v10M3 8h10',
  edit: 'M3 13l.6-2.6 7.2-7.2 2 2-7.2 7.2zM9.6 4.4l2 2',
  compare: 'M8 2v12M3 4.5h5M3 11.5h5M3 4.5v7M13 4.5h-2M13 11.5h-2M13 4.5v7',
  sliders: 'M3 5h6M12 5h1M3 11h1M7 11h6M9 3.5v3M6 9.5v3',
  library: 'M2.5 3h11v10h-11zM2.5 10.5l3-3 2.5 2.5 2-2 3.5 3.5M10 5.7v.1',
  file: 'M4 2h5.5L12.5 5v9H4zM9.5 2v3h3',
  globe:
    'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 1.8 2.6 4 2.6 6S10 12.2 8 14M8 2C6 3.8 5.4 6 5.4 8S6 12.2 8 14',
  trash: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4',
  plug: 'M6 2v3.5M10 2v3.5M4 5.5h8v2.2a4 4 0 0 1-8 0zM8 11.7V14',
  brush:
    'M13.5 2.5L7 9M6.2 9.4c1.5 0 2 1.1 1.6 2.2-.5 1.5-2.3 2-5.3 1.9 1-.6 1.1-1.3 1.4-2.4.3-1 1.2-1.7 2.3-1.7z',
  eraser: 'M6 12.5L2.5 9 9 2.5 13.5 7 8 12.5zM5.8 5.7l4.5 4.5M6 12.5h7.5',
  rectangle: 'M2.5 4h11v8h-11z',
  ellipse: 'M8 12.5c3 0 5.5-2 5.5-4.5S11 3.5 8 3.5 2.5 5.5 2.5 8 5 12.5 8 12.5z',
  hand: 'M8 2v12M2 8h12M6 4l2-2 2 2M6 12l2 2 2-2M4 6L2 8l2 2M12 6l2 2-2 2',
  undo: 'M6 3L2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H6',
  redo: 'M10 3l3.5 3.5L10 10M13.5 6.5H6a3.5 3.5 0 0 0 0 7h4',
  invert: 'M8 2.5v11M8 13.5a5.5 5.5 0 1 0 0-11M8 5.5l4 4M8 9l3 3',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  grid: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  bars: 'M3 13.5V8.5M8 13.5v-11M13 13.5v-7.5',
  flag: 'M3.5 14V2.5h9l-2 3.2 2 3.3h-9',
  server: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5v.1M5 11v.1',
  code: 'M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5',
  zoomOut: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14M5 7h4',
  warning: 'M8 2.2L14.3 13.3H1.7zM8 6.5v3M8 11.4v.1',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  key: 'M5 13.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM7.2 8.3L13 2.5M10.5 5l2.2 2.2M13 2.5l1 1',
  hook: 'M2.5 8h6M6 4.5L9.5 8 6 11.5M12.5 2.5v11',
  more: 'M3.5 8v.1M8 8v.1M12.5 8v.1',
} as const

export type IconName = keyof typeof PATHS

/** Beside a text that says the same: hidden from screen readers. */
export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
