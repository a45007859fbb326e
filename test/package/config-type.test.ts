// GatewayConfig is written by hand, for its documentation. The compiler compares it with the schema that is validated at
// run time: an error here names a setting that is missing from one of the two, or differs.
import { readFileSync } from 'node:fs'
import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { CONFIG_SHAPE } from '../../src/config/shape.ts'
import type {
  AcedataProviderConfig,
  BasicProviderConfig,
  EngineConfig,
  GatewayConfig,
  JimmyProviderConfig,
  LimitsConfig,
  OpenaiProviderConfig,
  PmockProviderConfig,
  RetentionConfig,
  UnknownCostConfig,
} from '../../src/index.ts'
import { dialects } from '../../src/providers/index.ts'
import type { acedataOptions } from '../../src/providers/acedata/options.ts'
import type { BasicOptions } from '../../src/providers/basic/basic.ts'
import type { jimmyOptions } from '../../src/providers/jimmy/options.ts'
import type { pmockOptions } from '../../src/providers/pmock/options.ts'

type Input = z.input<typeof CONFIG_SHAPE>
type Part<Name extends keyof Input> = NonNullable<Input[Name]>

/** The fields of a provider entry besides its name and dialect. */
type Options<Entry> = Mutable<Omit<Entry, 'name' | 'dialect'>>

/** zod's arrays are never readonly. */
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Name in keyof T]: Mutable<T[Name]> }
    : T

it('GatewayConfig declares the validated settings, and no others', () => {
  expectTypeOf<keyof GatewayConfig>().toEqualTypeOf<keyof Input>()
  expectTypeOf<keyof EngineConfig>().toEqualTypeOf<keyof Part<'engine'>>()
  expectTypeOf<keyof RetentionConfig>().toEqualTypeOf<keyof Part<'retention'>>()
  expectTypeOf<keyof LimitsConfig>().toEqualTypeOf<keyof Part<'limits'>>()
  expectTypeOf<keyof UnknownCostConfig>().toEqualTypeOf<keyof Part<'unknownCost'>>()
  expectTypeOf<Mutable<GatewayConfig>>().toExtend<Input>()
})

it('provider entries declare the options that their dialect validates', () => {
  expectTypeOf<Options<PmockProviderConfig>>().toEqualTypeOf<Mutable<z.input<typeof pmockOptions>>>()
  expectTypeOf<Options<JimmyProviderConfig>>().toEqualTypeOf<Mutable<z.input<typeof jimmyOptions>>>()
  expectTypeOf<Options<AcedataProviderConfig>>().toEqualTypeOf<Mutable<z.input<typeof acedataOptions>>>()
  expectTypeOf<keyof Options<BasicProviderConfig>>().toEqualTypeOf<keyof BasicOptions>()
})

// These options are assembled at run time from those of the presets.
it('the openai entry declares the options of the dialect, its presets and their options', () => {
  const declared: Record<keyof Options<OpenaiProviderConfig>, true> = {
    adminKey: true,
    apiKey: true,
    apiVersion: true,
    baseUrl: true,
    charges: true,
    concurrency: true,
    extra: true,
    mode: true,
    models: true,
    naming: true,
    organization: true,
    preset: true,
    project: true,
    responseFormat: true,
    resultTtlMs: true,
    svgPrices: true,
    timeoutMs: true,
    unbilledServerErrors: true,
  }
  const { properties } = z.toJSONSchema(dialects.openai!.options, { io: 'input', unrepresentable: 'any' })
  expect(Object.keys(properties ?? {}).toSorted()).toEqual(Object.keys(declared).toSorted())

  const presets: Record<NonNullable<OpenaiProviderConfig['preset']>, true> = {
    azure: true,
    openrouter: true,
    pmock: true,
  }
  expect(properties?.['preset']).toMatchObject({ enum: Object.keys(presets) })
  const row = /^\| `preset` .*$/m.exec(readFileSync('docs/configuration.md', 'utf8'))?.[0] ?? ''
  const named = [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  expect(named).toEqual(['preset', 'openai', ...Object.keys(presets)])
})
