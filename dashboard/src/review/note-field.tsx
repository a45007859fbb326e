export function NoteField({
  example,
  note,
  setNote,
}: {
  example: string
  note: string
  setNote: (note: string) => void
}) {
  return (
    <label className="label">
      Source, for the audit log
      <input
        className="field"
        required
        maxLength={1000}
        placeholder={example}
        value={note}
        onChange={({ target }) => setNote(target.value)}
      />
    </label>
  )
}
