import { useState } from 'react'
import { readColumns, setColumns } from '../session/columns.ts'
import { OpenDialog } from '../ui/form-dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import parts from '../ui/parts.module.css'
import { COLUMNS, type Column } from './task-columns.tsx'

/** The chosen columns, and a button that changes them. */
export function useColumnChoice() {
  const [names, setNames] = useState(
    () => readColumns() ?? COLUMNS.filter(({ isDefault }) => isDefault).map(({ name }) => name),
  )
  const [isOpen, setIsOpen] = useState(false)

  function toggle({ name }: Column): void {
    const next = COLUMNS.map((one) => one.name).filter((one) => names.includes(one) !== (one === name))
    setNames(next)
    setColumns(next)
  }

  const button = (
    <>
      <button type="button" className="button quiet muted" onClick={() => setIsOpen(true)}>
        <Icon name="sliders" /> Columns
      </button>
      {isOpen && (
        <OpenDialog title="Columns" onClose={() => setIsOpen(false)}>
          <div className={parts['pairs']}>
            {COLUMNS.map((column) => (
              <label key={column.name} className={parts['check']}>
                <input
                  type="checkbox"
                  checked={names.includes(column.name)}
                  onChange={() => toggle(column)}
                />
                {column.text}
              </label>
            ))}
          </div>
          <div className={parts['row']}>
            <button type="button" className="button primary" onClick={() => setIsOpen(false)}>
              Close
            </button>
          </div>
        </OpenDialog>
      )}
    </>
  )
  return { columns: COLUMNS.filter(({ name }) => names.includes(name)), button }
}
