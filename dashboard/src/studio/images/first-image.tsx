import styles from './first-image.module.css'
import { MaskEditor } from '../mask/mask-editor.tsx'
import type { StudioForm } from '../use-studio-form.ts'

interface FirstImageProps {
  form: StudioForm
  canMask: boolean
  canMarkup: boolean
}

/** What is edited, large. An address has no picture here: only the server reads it. */
export function FirstImage({ form: { images, masks }, canMask, canMarkup }: FirstImageProps) {
  const [image] = images
  if (!image) return null
  const { key, name, preview, size } = image
  if (preview === undefined || !size)
    return (
      <p className={styles['unseen']}>
        The server reads this image from <strong>{name}</strong> when the task starts. It cannot have a mask
        here.
      </p>
    )
  const { state, share, role } = masks.mask
  return (
    <MaskEditor
      key={key}
      preview={preview}
      name={name}
      size={size}
      state={state}
      share={share}
      role={role}
      canMask={canMask}
      canMarkup={canMarkup}
      onChange={masks.change}
      onRole={masks.setRole}
    />
  )
}
