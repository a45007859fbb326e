import { useState } from 'react'
import { readTheme, setTheme, type Theme } from '../session/theme.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import styles from './shell.module.css'

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const ICONS: Readonly<Record<Theme, IconName>> = { system: 'system', light: 'sun', dark: 'moon' }

export function ThemeButton() {
  const [theme, setShown] = useState(readTheme)
  const next = NEXT[theme]
  return (
    <button
      type="button"
      className={styles['tool']}
      title={`Theme: ${theme}`}
      aria-label={`Theme: ${theme}. Change to ${next}`}
      onClick={() => {
        setTheme(next)
        setShown(next)
      }}
    >
      <Icon name={ICONS[theme]} size={16} />
    </button>
  )
}
