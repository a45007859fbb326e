import styles from './first-image.module.css'
import { MaskEditor } from './mask/mask-editor.tsx'
import type { StudioForm } from './use-studio-form.ts'

/** What is edited, large. An address has no picture here: only the server reads it. */
export function FirstImage({ form: { images, masks }, canMask }: { form: StudioForm; canMask: boolean }) {
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
  const { state, share } = masks.mask
  return (
    <MaskEditor
      key={key}
      preview={preview}
      name={name}
      size={size}
      state={state}
      share={share}
      canMask={canMask}
      onChange={masks.change}
    />
  )
}
