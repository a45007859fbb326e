import { useRef, useState, type ReactNode } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { AddressDialog } from './address-dialog.tsx'
import { ACCEPTED, MAX_IMAGES } from './input-images.ts'
import styles from './image-tray.module.css'
import { LibraryDialog } from './library-dialog.tsx'
import { Thumbs } from './thumbs.tsx'
import type { StudioForm } from '../use-studio-form.ts'

interface ImageTrayProps {
  form: StudioForm
  /** Of the model. */
  maxImages: number
  model: string
  /** The first image, with its mask. */
  children?: ReactNode
}

/** The images to edit: dropped, pasted, from files, an address or the library. */
export function ImageTray({ form, maxImages, model, children }: ImageTrayProps) {
  const { images, problems, filling } = form
  const picker = useRef<HTMLInputElement>(null)
  const [dialog, setDialog] = useState<'address' | 'library'>()
  const canAdd = images.length < Math.min(MAX_IMAGES, Math.max(1, maxImages))
  const isReading = filling !== undefined && !filling.error

  const buttons = (
    <div className={styles['buttons']}>
      <button type="button" className="button" disabled={!canAdd} onClick={() => picker.current?.click()}>
        <Icon name="file" /> File
      </button>
      <button type="button" className="button" disabled={!canAdd} onClick={() => setDialog('library')}>
        <Icon name="library" /> From library
      </button>
      <button type="button" className="button" disabled={!canAdd} onClick={() => setDialog('address')}>
        <Icon name="globe" /> Address
      </button>
    </div>
  )
  return (
    <section className={styles['tray']} aria-label="Images to edit">
      {images.length === 0 ? (
        <div className={styles['empty']} data-reading={isReading || undefined}>
          {isReading ? (
            <p className={styles['title']} role="status">
              Reading the image
            </p>
          ) : (
            <>
              <p className={styles['title']}>Edit a picture</p>
              <p className="muted">
                {maxImages === 0
                  ? `${model} makes pictures from words only.`
                  : 'Drop or paste images here, or choose them.'}
              </p>
              {maxImages > 0 && buttons}
            </>
          )}
        </div>
      ) : (
        <>
          {children}
          <div className={styles['bar']}>
            <Thumbs form={form} />
            {buttons}
          </div>
          {images.length > maxImages && maxImages > 0 && (
            <p className={styles['problem']}>
              {model} takes {maxImages === 1 ? 'one image' : `${maxImages} images`}; there are {images.length}
              .
            </p>
          )}
        </>
      )}
      {problems.length > 0 && (
        <ul className={styles['problems']} role="alert">
          {problems.map(({ name, message }) => (
            <li key={name + message}>
              <Icon name="warning" />
              <span>
                <strong>{name}</strong> {message}
              </span>
            </li>
          ))}
          <li>
            <button type="button" className="button quiet" onClick={form.clearProblems}>
              Dismiss
            </button>
          </li>
        </ul>
      )}
      <input
        ref={picker}
        type="file"
        hidden
        aria-label="Image files"
        accept={ACCEPTED}
        multiple
        onChange={({ target }) => {
          void form.addFiles([...(target.files ?? [])])
          target.value = ''
        }}
      />
      {dialog === 'address' && <AddressDialog onClose={() => setDialog(undefined)} onAdd={form.addAddress} />}
      {dialog === 'library' && (
        <LibraryDialog
          max={Math.min(MAX_IMAGES, maxImages) - images.length}
          onClose={() => setDialog(undefined)}
          onChoose={(chosen) => void form.addLibrary(chosen)}
        />
      )}
    </section>
  )
}
