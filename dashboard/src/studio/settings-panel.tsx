import { useId } from 'react'
import type { ProviderHealth } from '../api/generated.ts'
import { Field, NumberField, Segments, Stepper } from './field.tsx'
import { MoreSettings } from './more-settings.tsx'
import { MAX_N, type Offer, type Rules } from './rules.ts'
import type { SettingName, StudioSettings } from './settings.ts'
import styles from './settings-panel.module.css'
import { SizeField } from './size-field.tsx'
import { wordOf } from './words.ts'

interface SettingsPanelProps {
  rules: Rules
  settings: StudioSettings
  change: (part: Partial<StudioSettings>) => void
  offers: readonly Offer[]
  health: ReadonlyMap<string, ProviderHealth>
}

/** Every setting that the chosen model takes, and no other. */
export function SettingsPanel(props: SettingsPanelProps) {
  const { rules, settings, change } = props
  const field = (name: SettingName, label: string) => ({
    label,
    impossible: rules.impossible.find((one) => one.name === name),
    onChange: change,
  })
  return (
    <div className={styles['settings']}>
      <ModelFields {...props} />
      <SizeField rules={rules} settings={settings} change={change} />
      <ChoiceField {...props} name="quality" label="Quality" />
      <div className={styles['pair']}>
        <Field
          label="Pictures"
          hint={rules.requests > 1 ? `${rules.requests} requests` : undefined}
          onChange={change}
        >
          <Stepper
            label="pictures"
            value={settings.n}
            min={1}
            max={MAX_N}
            onChange={(n) => change({ n: n ?? 1 })}
          />
        </Field>
        {(rules.partialImages || field('partialImages', '').impossible) && (
          <Field {...field('partialImages', 'Previews')}>
            <Stepper
              label="previews"
              value={settings.partialImages}
              min={0}
              max={Math.max(rules.partialImages?.max ?? 0, 0)}
              onChange={(partialImages) => change({ partialImages: partialImages ?? 0 })}
            />
          </Field>
        )}
      </div>
      <ChoiceField {...props} name="outputFormat" label="Format" />
      {rules.outputCompression && (
        <Field {...field('outputCompression', 'File size')} hint="0 smallest, 100 best">
          <NumberField
            label="Compression level"
            value={settings.outputCompression}
            min={0}
            max={100}
            placeholder="chosen by the provider"
            onChange={(outputCompression) => change({ outputCompression })}
          />
        </Field>
      )}
      {rules.frames && (
        <div className={styles['pair']}>
          <Field {...field('frames', 'Frames')} hint={`${rules.frames.min} to ${rules.frames.max}`}>
            <NumberField
              label="Frames"
              value={settings.frames}
              min={rules.frames.min}
              max={rules.frames.max}
              placeholder={String(rules.frames.byDefault)}
              onChange={(frames) => change({ frames })}
            />
          </Field>
          <Field {...field('frameDurationMs', 'Each frame')}>
            <NumberField
              label="Duration of a frame in milliseconds"
              value={settings.frameDurationMs}
              min={rules.frameDurationMs?.min ?? 1}
              max={rules.frameDurationMs?.max ?? 1}
              step={rules.frameDurationMs?.step ?? 1}
              placeholder="default"
              unit="ms"
              onChange={(frameDurationMs) => change({ frameDurationMs })}
            />
          </Field>
        </div>
      )}
      {rules.svg && <SvgFields {...props} svg={rules.svg} />}
      <ChoiceField {...props} name="background" label="Background" />
      <ChoiceField {...props} name="style" label="Style" />
      <ChoiceField {...props} name="complexity" label="Planning" />
      <ChoiceField {...props} name="inputFidelity" label="Fidelity to the images" />
      <ChoiceField {...props} name="moderation" label="Content filter" />
      <MoreSettings rules={rules} settings={settings} change={change} />
    </div>
  )
}

type ChoiceName =
  | 'quality'
  | 'outputFormat'
  | 'background'
  | 'style'
  | 'complexity'
  | 'inputFidelity'
  | 'moderation'

/** Hidden if the model leaves no choice, unless the present value is impossible. */
function ChoiceField({
  rules,
  settings,
  change,
  name,
  label,
}: SettingsPanelProps & { name: ChoiceName; label: string }) {
  const impossible = rules.impossible.find((one) => one.name === name)
  const options = rules[name]?.options ?? []
  if (options.length === 0 && !impossible) return null
  return (
    <Field label={label} impossible={impossible} onChange={change}>
      <Segments<string | null>
        name={name}
        value={settings[name]}
        options={options}
        onChange={(value) => change({ [name]: value })}
      />
    </Field>
  )
}

function ModelFields({ settings, change, offers, health }: Omit<SettingsPanelProps, 'rules'>) {
  const modelId = useId()
  const providerId = useId()
  const models = [...new Set(offers.map(({ model }) => model))]
  const having = offers.filter(({ model }) => model === settings.model)
  const chosen = having.find(({ retiresOn }) => retiresOn !== null)
  const { provider } = settings
  const isElsewhere = provider !== undefined && !having.some((one) => one.provider === provider)
  return (
    <div className={styles['model']}>
      <label htmlFor={modelId} className={styles['label']}>
        Model
      </label>
      <select
        id={modelId}
        className="field"
        value={settings.model}
        onChange={({ target }) => change({ model: target.value })}
      >
        {models.map((model) => (
          <option key={model} value={model}>
            {model}
            {endOf(offers.find((one) => one.model === model))}
          </option>
        ))}
      </select>
      {chosen && (
        <p className={styles['retiring']}>
          Shut down on {chosen.retiresOn}.{chosen.successor !== null && ` Use ${chosen.successor}.`}
        </p>
      )}
      {(new Set(offers.map((one) => one.provider)).size > 1 || provider !== undefined) && (
        <>
          <label htmlFor={providerId} className={styles['label']}>
            Provider
          </label>
          <select
            id={providerId}
            className="field"
            value={provider ?? ''}
            onChange={({ target }) => change({ provider: target.value || undefined })}
          >
            <option value="">Any provider</option>
            {having.map((one) => (
              <option key={one.provider} value={one.provider}>
                {one.provider}
                {healthText(health.get(one.provider))}
              </option>
            ))}
            {isElsewhere && <option value={provider}>{provider}</option>}
          </select>
        </>
      )}
    </div>
  )
}

function SvgFields({
  rules,
  settings,
  change,
  svg,
}: SettingsPanelProps & { svg: NonNullable<Rules['svg']> }) {
  const id = useId()
  return (
    <Field
      label="Author of the SVG"
      hint="a text model"
      impossible={rules.impossible.find(({ name }) => name === 'svgModel')}
      onChange={change}
    >
      <input
        className="field"
        aria-label="Model that writes the SVG"
        list={svg.models ? id : undefined}
        placeholder="chosen by the provider"
        maxLength={128}
        value={settings.svgModel}
        onChange={({ target }) => change({ svgModel: target.value.trim() })}
      />
      {svg.models && (
        <datalist id={id}>
          {svg.models.map((model) => (
            <option key={model} value={model} />
          ))}
        </datalist>
      )}
      {settings.svgModel !== '' && svg.efforts.options.length > 0 && (
        <select
          className="field"
          aria-label="Reasoning effort"
          value={settings.svgEffort ?? ''}
          onChange={({ target }) =>
            change({ svgEffort: (target.value || null) as StudioSettings['svgEffort'] })
          }
        >
          <option value="">Default effort</option>
          {svg.efforts.options.map(({ value }) => (
            <option key={value} value={value}>
              {wordOf(value)} effort
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

function endOf(offer: Offer | undefined): string {
  return offer?.retiresOn ? ` · until ${offer.retiresOn}` : ''
}

function healthText(health: ProviderHealth | undefined): string {
  return health === undefined || health === 'HEALTHY' ? '' : ` · ${health.toLowerCase()}`
}
