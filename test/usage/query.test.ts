// Usage reports over GraphQL, as CSV and on the command line.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/screen.ts'
import { toPage } from '../../src/cli/usage/formats.ts'
import { ADMIN_KEY, bearer, openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { TRANSPORTS, type Client } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { darkroom } from '../cli/darkroom.ts'

interface Report {
  rows: Record<string, unknown>[]
  totals: Record<string, unknown>
}

const TOTALS =
  'totals { tasks attempts images inputTokens outputTokens costMicros heldMicros attemptsWithUnknownCost attemptsWithUnknownUsage }'
const PERIOD = 'from: "2026-01-01T00:00:00Z", to: "2060-01-01T00:00:00Z"'

describe.each(DATABASES)('usage on %s', (database) => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway({ database })
    const generate = async (input: object) => {
      const id = await server.generate({ size: '1024x1024', quality: 'LOW', prompt: 'a fox', ...input })
      await server.ended(id)
    }
    await generate({ n: 2, metadata: [{ key: 'team', value: '=SUM(A1)' }], user: 'O’Neil, "Jr."' })
    await generate({ model: 'gpt-image-1-mini', metadata: [{ key: 'team', value: 'blue' }] })
    await generate({ prompt: 'a fox [sandbox:moderation]' })
    await generate({ prompt: 'a fox [sandbox:vanish]' })
    // An image of a model whose price and usage are unknown.
    await generate({ model: 'dall-e-2', size: '256x256', quality: 'AUTO' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const usage = async (args: string, fields: string) =>
    (await server.get<{ usage: Report }>(`{ usage(${PERIOD}, ${args}) { ${fields} } }`)).usage

  it('can be grouped by any dimension, with counts of unknown values', async () => {
    const { rows, totals } = await usage(
      'groupBy: [MODEL, STATUS], timeZone: "Europe/Berlin"',
      `rows { model status user day { label } tasks images outputTokens inputImageTokens costMicros heldMicros
              attemptsWithUnknownCost attemptsWithUnknownUsage } ${TOTALS}`,
    )
    const empty = { user: null, day: null, inputImageTokens: null, heldMicros: 0 }
    const known = { attemptsWithUnknownCost: 0, attemptsWithUnknownUsage: 0 }
    const unknown = { attemptsWithUnknownCost: 1, attemptsWithUnknownUsage: 1 }
    expect(rows).toEqual([
      {
        ...empty,
        ...unknown,
        model: 'dall-e-2',
        status: 'SUCCEEDED',
        tasks: 1,
        images: 1,
        outputTokens: null,
        costMicros: null,
      },
      {
        ...empty,
        ...known,
        model: 'gpt-image-1-mini',
        status: 'SUCCEEDED',
        tasks: 1,
        images: 1,
        outputTokens: 272,
        costMicros: 2194,
      },
      {
        ...empty,
        ...known,
        model: 'gpt-image-2',
        status: 'FAILED',
        tasks: 1,
        images: 0,
        outputTokens: null,
        costMicros: 0,
      },
      {
        ...empty,
        ...unknown,
        model: 'gpt-image-2',
        status: 'OUTCOME_UNKNOWN',
        tasks: 1,
        images: 0,
        outputTokens: null,
        costMicros: null,
        heldMicros: expect.any(Number) as number,
      },
      {
        ...empty,
        ...known,
        model: 'gpt-image-2',
        status: 'SUCCEEDED',
        tasks: 1,
        images: 2,
        outputTokens: 392,
        costMicros: 11_805,
      },
    ])
    expect(totals).toMatchObject({
      tasks: 5,
      attempts: 5,
      images: 4,
      outputTokens: 664,
      costMicros: 13_999,
      attemptsWithUnknownCost: 2,
      attemptsWithUnknownUsage: 2,
    })
    expect(totals['heldMicros']).toBeGreaterThan(5880)
  })

  it('can be filtered and grouped by metadata', async () => {
    const { rows } = await usage(
      'groupBy: [METADATA], metadataKey: "team", filter: { statuses: [SUCCEEDED], models: ["gpt-image-2", "gpt-image-1-mini"] }',
      'rows { metadata images }',
    )
    expect(rows).toEqual([
      { metadata: '=SUM(A1)', images: 2 },
      { metadata: 'blue', images: 1 },
    ])
    const byLabel = await usage(
      'groupBy: [USER], filter: { metadata: [{ key: "team", value: "=SUM(A1)" }] }',
      'rows { user tasks }',
    )
    expect(byLabel.rows).toEqual([{ user: 'O’Neil, "Jr."', tasks: 1 }])
  })

  it('refuses an invalid query with the field and the rule', async () => {
    const wrong = await server.execute(`{ usage(${PERIOD}, timeZone: "Mars/Olympus") { totals { tasks } } }`)
    expect(wrong.errors?.[0]).toMatchObject({
      message: expect.stringContaining('"Mars/Olympus"') as string,
      extensions: { code: 'BAD_USER_INPUT', field: 'timeZone' },
    })
    const backwards = await server.execute(
      '{ usage(from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z") { totals { tasks } } }',
    )
    expect(backwards.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'to' })
  })

  it('is reported to an operator for all projects', async () => {
    const { rows } = await usage('groupBy: [PROJECT], allProjects: true', 'rows { projectId tasks }')
    expect(rows).toEqual([{ projectId: 'prj_00000000000000000000000000', tasks: 5 }])
  })

  it('is available as CSV without formulas and with all characters intact', async () => {
    const reply = await fetch(
      `${server.url}/usage.csv?from=2026-01&groupBy=month,metadata.team,user&timeZone=Asia/Tokyo&status=succeeded&model=gpt-image-2&model=dall-e-2`,
    )
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/)
    const month = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 7)
    const bytes = Buffer.from(await reply.arrayBuffer())
    // Without this byte order mark, Excel corrupts the apostrophe of O’Neil.
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    expect(bytes.subarray(3).toString()).toBe(
      [
        'month,metadata.team,user,tasks,attempts,images,input_tokens,output_tokens,total_tokens,input_text_tokens,input_image_tokens,output_text_tokens,output_image_tokens,cost_micros,cost_usd,held_micros,attempts_with_unknown_cost,attempts_with_unknown_usage,estimated_cost_micros,attempts_with_estimated_cost,svg_input_tokens,svg_output_tokens,svg_reasoning_tokens,svg_cost_micros',
        `${month},'=SUM(A1),"O’Neil, ""Jr.""",1,1,2,9,392,401,9,,,392,11805,0.011805,0,0,0,0,0,,,,0`,
        `${month},,,1,1,1,,,,,,,,,,0,1,1,0,0,,,,0`,
        '',
      ].join('\r\n'),
    )
  })

  it.each([
    ['groupBy=daz', 400, 'dimension \\"daz\\"'],
    ['from=yesterday', 400, 'from is \\"yesterday\\"'],
    ['provder=jimmy', 400, 'no filter \\"provder\\"'],
    ['status=done', 400, 'status is \\"done\\"'],
    ['timeZone=Mars', 400, 'timeZone is \\"Mars\\"'],
    ['allProjects=yes', 400, 'true or false'],
  ])('refuses %s with the rule', async (query, status, words) => {
    const reply = await fetch(`${server.url}/usage.csv?${query}`)
    expect(reply.status).toBe(status)
    const text = await reply.text()
    expect(text).toContain('"code":"BAD_USER_INPUT"')
    expect(text).toContain(words)
  })

  it('can be reported by a command while the server runs', async () => {
    const { place } = server
    const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
    const run = (...args: string[]) => darkroom(['usage', ...args], { cwd: place.dataDir, env })
    const [table, csv, json, wrong] = await Promise.all([
      run('--from', '2026-01', '--by', 'model,quality'),
      run('--from=2026-01', '--by=metadata.team', '--filter=metadata.team=blue', '--csv'),
      run('--from=2026-01', '--by=provider', '--json'),
      run('--by', 'weather'),
    ])
    expect(table).toMatchObject({ exitCode: 0, stderr: '' })
    expect(table.stdout).toContain(
      'Model             Quality   Tasks  Attempts  Images  Tokens in  Tokens out       Cost',
    )
    expect(table.stdout).toMatch(/^ {2}dall-e-2 {10}STANDARD +1 +1 +1 +– +– +\? +– +1 +1$/m)
    expect(table.stdout).toMatch(/^ {2}Total {23,} 5 +5 +4 +\d+ +664 +\$0\.013999 +\$0\.\d{6} +2 +2$/m)
    expect(table.stdout).toContain(
      'The cost excludes 2 attempts that were or may have been charged at an unknown cost.',
    )
    expect(csv.stdout).toMatch(
      /^metadata\.team,tasks[^]*\r\nblue,1,1,1,9,272,281,9,,,272,2194,0\.002194,0,0,0,0,0,,,,0\r\n$/,
    )
    expect(JSON.parse(json.stdout)).toMatchObject({
      rows: [{ provider: 'sandbox', tasks: 5, cost_micros: 13_999 }],
      totals: { cost_usd: '0.013999' },
    })
    expect(wrong).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('"weather"') as string })
  })
})

const generate = async (client: Client) =>
  client.ended(await client.generate({ prompt: 'a fox', size: '1024x1024', quality: 'LOW' }))

describe('usage with API keys', () => {
  it('requires the scope REPORT, and an operator for all projects', async () => {
    await using keyed = await openGatewayWithKeys()
    const other = await keyed.newProject('other')
    const mine = await keyed.newKey({ project: other, scopes: ['REPORT', 'GENERATE', 'READ'] })
    const withoutReport = await keyed.newKey({ project: other, scopes: ['READ'] })
    await generate(keyed.operator())
    await generate(keyed.as(mine.key))

    const query = `{ usage(${PERIOD}, groupBy: [PROJECT, API_KEY]) { rows { projectId apiKeyId tasks } } }`
    const own = { projectId: other, apiKeyId: mine.id, tasks: 1 }
    const foreign = { projectId: 'prj_00000000000000000000000000', apiKeyId: null, tasks: 1 }
    expect((await keyed.as(mine.key).execute(query)).data).toEqual({ usage: { rows: [own] } })
    const all = query.replace('groupBy', 'allProjects: true, groupBy')
    expect((await keyed.operator().execute(all)).data).toEqual({ usage: { rows: [foreign, own] } })
    expect((await keyed.as(mine.key).execute(all)).errors?.[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
    })
    expect((await keyed.as(withoutReport.key).execute(query)).errors?.[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
    })

    const csv = async (headers: Record<string, string>, more = '') => {
      const reply = await fetch(`${keyed.url}/usage.csv?from=2026-01&groupBy=project${more}`, { headers })
      const [, ...rows] = (await reply.text()).trim().split('\r\n')
      return [reply.status, ...rows.map((row) => row.split(',', 2).join())]
    }
    expect(await csv(bearer(mine.key))).toEqual([200, `${other},1`])
    expect(await csv(bearer(ADMIN_KEY), '&allProjects=true')).toEqual([
      200,
      `${foreign.projectId},1`,
      `${other},1`,
    ])
    expect(await csv(bearer(mine.key), '&allProjects=true')).toEqual([403])
    expect(await csv(bearer(withoutReport.key))).toEqual([403])
    expect(await csv({})).toEqual([401])
    const stranger = await fetch(`${keyed.url}/usage.csv`, {
      headers: { ...bearer('wrong'), origin: 'https://example.com' },
    })
    expect([stranger.status, stranger.headers.get('access-control-allow-origin')]).toEqual([401, null])
  })
})

describe.each(TRANSPORTS)('a usage subscription over %s', (transport) => {
  it('sends the report immediately, then only after changes', async () => {
    await using server = await openGateway()
    const reports: Record<string, unknown>[] = []
    const query = `subscription { usage(from: "2026-01-01T00:00:00Z", groupBy: [MODEL]) { rows { model tasks } totals { tasks images } } }`
    for await (const { data, errors } of server.watch<{ usage: Record<string, unknown> }>(transport, query)) {
      expect(errors).toBeUndefined()
      reports.push(data!.usage)
      if (reports.length === 1) await server.generate({ prompt: 'a fox', size: '1024x1024', quality: 'LOW' })
      if (JSON.stringify(data).includes('"images":1')) break
    }
    expect(reports[0]).toEqual({ rows: [], totals: { tasks: 0, images: 0 } })
    expect(reports.at(-1)).toEqual({
      rows: [{ model: 'gpt-image-2', tasks: 1 }],
      totals: { tasks: 1, images: 1 },
    })
    expect(new Set(reports.map((report) => JSON.stringify(report))).size).toBe(reports.length)
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
  })

  it('is refused before the first report if it is invalid', async () => {
    await using server = await openGateway()
    const query = `subscription { usage(from: "2026-01-01T00:00:00Z", timeZone: "Mars") { totals { tasks } } }`
    const [first] = await Array.fromAsync(server.watch(transport, query)).catch((error: unknown) => [error])
    expect(JSON.stringify(first)).toContain('timeZone is')
  })
})

describe('a report on the command line', () => {
  const counts = {
    tasks: 0,
    attempts: 0,
    images: 0,
    unknownCosts: 0,
    unknownUsages: 0,
    estimatedCosts: 0,
    estimatedMicros: 0,
    heldMicros: 0,
    costMicros: 0,
    svgCostMicros: 0,
    svgInputTokens: 0,
    svgOutputTokens: 0,
    svgReasoningTokens: 0,
    inputTokens: 0,
    outputTokens: 0,
    totalTokens: 0,
    inputTextTokens: 0,
    inputImageTokens: 0,
    outputTextTokens: 0,
    outputImageTokens: 0,
  }
  const query = {
    projectId: null,
    from: 0,
    to: 1,
    groupBy: ['MODEL'] as const,
    filter: {},
    timeZone: 'UTC',
    metadataKey: null,
  }
  const printReport = (...costs: number[]) =>
    toPage(
      query,
      {
        from: 0,
        to: Date.UTC(1970, 1),
        timeZone: 'UTC',
        rows: costs.map((costMicros, nth) => ({
          keys: { model: `m${nth}` },
          counts: { ...counts, attempts: 1, costMicros },
        })),
        totals: {
          ...counts,
          attempts: costs.length,
          costMicros: costs.reduce((sum, cost) => sum + cost, 0),
        },
      },
      { location: 'here', paint: plain },
    )

  it('shows amounts without trailing zeros, aligned at the decimal point', () => {
    expect(printReport(1_234_500_000, 40_000)).toContain(
      [
        'm0         0         1       0          –           –  $1,234.50',
        'm1         0         1       0          –           –      $0.04',
      ].join('\n  '),
    )
    expect(printReport(41_160)).toMatch(/\$0\.04116$/m)
    expect(printReport(7)).toMatch(/\$0\.000007$/m)
  })

  it('says that a period has no attempts', () => {
    expect(printReport()).toContain('1970-01-01 to 1970-02-01 (UTC)')
    expect(printReport()).toContain('No attempts in this period.')
  })
})
