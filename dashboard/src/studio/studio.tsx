import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { Generate, ListOffers, QuoteStudio } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import { useOnline } from '../live/hooks.ts'
import { useIsNarrow } from '../ui/use-is-narrow.ts'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/problem.tsx'
import { CostCard } from './cost-card.tsx'
import { FirstImage } from './images/first-image.tsx'
import { ImageTray } from './images/image-tray.tsx'
import { JobList } from './job-list.tsx'
import { LeaveGuard } from './leave-guard.tsx'
import { PromptBox } from './prompt-box.tsx'
import { obstacleOf, quoteInputOf, requestOf } from './request.ts'
import { rulesOf } from './rules.ts'
import { SettingsPanel } from './settings-panel.tsx'
import { SettingsSheet } from './settings-sheet.tsx'
import styles from './studio.module.css'
import { useJobs } from './use-jobs.ts'
import type { Offers } from './use-offers.ts'
import { useQuote } from './use-quote.ts'
import { useStudioForm } from './use-studio-form.ts'

export function Studio({ offers, health }: Offers) {
  const { store } = useSession()
  const form = useStudioForm()
  const jobs = useJobs()
  const isNarrow = useIsNarrow()
  const isOnline = useOnline()
  const isFull = useSyncExternalStore(store.subscribe, jobs.isFull)
  const [isDropping, setIsDropping] = useState(false)
  const depth = useRef(0)
  const { prompt, settings, change, images, masks } = form
  usePaste(form.addFiles)
  const model = offers.some((one) => one.model === settings.model)
    ? settings.model
    : (offers[0]?.model ?? settings.model)
  const ofModel = offers.filter((one) => one.model === model)
  const ofProvider = ofModel.filter(({ provider }) => provider === settings.provider)
  // A provider without the model: what the others have is shown, and the quote says who is missing.
  const chosen = ofProvider.length > 0 ? ofProvider : ofModel
  const current = useMemo(() => ({ ...settings, model }), [settings, model])
  const rules = rulesOf(chosen, current, { isEdit: images.length > 0 })
  const inputs = { imageCount: images.length, mask: masks.isMask, markup: masks.isMarkup }
  const obstacle = obstacleOf(prompt, rules, current, inputs)
  const request = requestOf(prompt, current, rules)
  const quoteView = useQuote(obstacle === undefined ? quoteInputOf(request, inputs) : undefined)
  const { quote, isStale } = quoteView
  const isRefused = !isStale && quote !== undefined && quote.offers.length === 0
  const reason =
    obstacle ??
    (isOnline ? undefined : 'The browser is offline.') ??
    (isFull ? 'Eight pictures are developing. Wait until one of them is done.' : undefined)

  async function generate(): Promise<void> {
    if (reason !== undefined || isRefused) return
    form.keep()
    const sources = images.map(({ source }) => ('file' in source ? source.file : source))
    const first = images[0]?.source
    const painted = await masks.encode()
    await jobs.send({
      prompt: prompt.trim(),
      sourceId: first && 'imageId' in first ? first.imageId : undefined,
      input: { ...request, ...(sources.length > 0 && { images: sources }), ...painted },
    })
  }

  const panel = (
    <SettingsPanel rules={rules} settings={current} change={change} offers={offers} health={health} />
  )
  const cost = (
    <CostCard
      view={quoteView}
      reason={reason}
      impossible={rules.impossible}
      queries={[
        { text: 'Cost', document: QuoteStudio, variables: { input: quoteInputOf(request, inputs) } },
        { text: 'Generate', document: Generate, variables: { input: request } },
        { text: 'Models', document: ListOffers },
      ]}
      onGenerate={() => void generate()}
    />
  )
  return (
    <div
      className={styles['studio']}
      data-dropping={isDropping || undefined}
      onDragEnter={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return
        depth.current++
        setIsDropping(true)
      }}
      onDragLeave={() => {
        depth.current = Math.max(0, depth.current - 1)
        if (depth.current === 0) setIsDropping(false)
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        depth.current = 0
        setIsDropping(false)
        void form.addFiles([...event.dataTransfer.files])
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
        if (document.querySelector('dialog[open]')) return
        event.preventDefault()
        void generate()
      }}
    >
      <title>Studio · Darkroom</title>
      <h1 className="hidden">Studio</h1>
      <div className={styles['columns']}>
        <div className={styles['canvas']}>
          {form.filling?.error && <Problem error={form.filling.error} onRetry={form.fillAgain} />}
          <PromptBox
            prompt={prompt}
            setPrompt={form.setPrompt}
            maxLength={rules.maxPromptLength}
            isEdit={images.length > 0}
          />
          {isNarrow && <SettingsSheet settings={current}>{panel}</SettingsSheet>}
          <ImageTray form={form} maxImages={rules.maxImages} model={model}>
            <FirstImage form={form} canMask={rules.mask} canMarkup={rules.markup} />
          </ImageTray>
        </div>
        <aside className={styles['side']} aria-label="Settings and cost">
          {!isNarrow && <div className={styles['panel']}>{panel}</div>}
          {cost}
        </aside>
        <JobList jobs={jobs} />
      </div>
      <LeaveGuard isDirty={form.isUnsent} />
      {isDropping && (
        <div className={styles['drop']} aria-hidden="true">
          <p>
            <Icon name="library" size={28} />
            Drop images to edit them
          </p>
        </div>
      )}
    </div>
  )
}

/** Wherever the focus is. */
function usePaste(addFiles: (files: readonly File[]) => Promise<void>): void {
  const latest = useRef(addFiles)
  useEffect(() => {
    latest.current = addFiles
  })
  useEffect(() => {
    const onPaste = ({ clipboardData }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])]
      if (files.length > 0) void latest.current(files)
    }
    addEventListener('paste', onPaste)
    return () => removeEventListener('paste', onPaste)
  }, [])
}
