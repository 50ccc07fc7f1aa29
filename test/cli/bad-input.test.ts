import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../../workflows/index.ts'
import { canMount } from '../small-disk.ts'
import { answering, cli, expectError, file, mount, place, remote, serve, text, useCommand } from './command.ts'

useCommand()

const weights = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))

describe('a wrong command line exits with 2 and says what is wrong', () => {
  const cases: [string, string[], RegExp][] = [
    ['no command', [], /Usage: scriptorium/],
    ['an unknown command', ['asks'], /unknown command 'asks' \(Did you mean ask\?\)/],
    ['an unknown flag', ['ask', 'a', 'b', '--strategyy', 'auto'], /unknown option '--strategyy' \(Did you mean --strategy\?\)/],
    [
      'an unknown strategy',
      ['ask', 'a', 'b', '--strategy', 'guess'],
      /argument 'guess' is invalid\. Allowed choices are auto, chain-of-agents/,
    ],
    ['a flag without its value', ['ask', 'a', 'b', '--limit'], /'--limit <kind=n>' argument missing/],
    [
      'a wrong count',
      ['ask', 'a', 'b', '--chunk-tokens', 'many'],
      /'--chunk-tokens <n>' argument 'many' is invalid\. It must be a whole number/,
    ],
    ['a wrong limit', ['ask', 'a', 'b', '--limit', 'calls:3'], /'calls:3' is invalid\. It must be calls=N/],
    ['a wrong path', ['ask', 'a', 'b', '--paths', 'round'], /'round' is invalid\. It must be forward/],
    ['no question', ['ask', 'a.txt'], /only one of file and question is given: "a\.txt"/],
    ['an empty question', ['ask', 'a.txt', ''], /Cannot ask an empty question: ""/],
    [
      'a model of no known form',
      ['ask', 'a', 'b', '--model', 'gpt-5'],
      /its name is not understood: gpt-5\. Use local, FILE\.gguf, openai:NAME/,
    ],
    ['a malformed base URL', ['ask', 'a', 'b', '--model', 'openai:m@ftp://x'], /its name is not understood: openai:m@ftp:\/\/x/],
    [
      'a remote model without a window',
      ['ask', 'a', 'b', '--model', 'openai:m@http://127.0.0.1:9/v1'],
      /Give --window N and --max-output N/,
    ],
    ['a window for a local model', ['ask', 'a', 'b', '--window', '100'], /Cannot set --window or --max-output for local/],
    [
      'a budget without a price',
      ['ask', 'a', 'b', '--budget', '1', ...remote({ baseURL: 'http://127.0.0.1:9/v1' })],
      /the price of the model is not known/,
    ],
    ['a log that cannot be written', ['ask', 'a', 'b', '--log', '/dev/null/run.log'], /Cannot write the log as .*: \/dev\/null\/run\.log/],
    ['a run that is not known', ['runs', 'show', 'r-1'], /Cannot show a run as the store knows none of that id: r-1/],
  ]
  it.each(cases)('%s', async (_, args, message) => {
    const outcome = await cli(args)
    expect(outcome.err).toMatch(message)
    if (args.length > 0) expectError(outcome, message)
    expect(outcome.code).toBe(2)
  })

  it('a run to resume that is not known, or was asked something else', async () => {
    const server = await serve(answering)
    expectError(
      await cli(['ask', place.book, 'Who?', '--resume', 'r-1', ...remote(server)]),
      /Cannot resume run r-1 as the journal does not know it/,
    )
    const first = await cli(['ask', place.book, 'Who hunts?', '--json', ...remote(server)])
    const { runId } = JSON.parse(first.out) as Answer
    const other = await cli(['ask', place.book, 'Who sings?', '--resume', runId, ...remote(server)])
    expectError(other, /as it was started with question "Who hunts\?", not "Who sings\?"/)
    expect(other.code).toBe(2)
  })
})

describe('a document that cannot be read exits with 5', () => {
  const emptyFolder = (): string => {
    const folder = join(place.folder, 'nothing')
    mkdirSync(folder)
    return folder
  }
  const cases: [string, () => string, RegExp][] = [
    ['that is not there', () => join(place.folder, 'none.txt'), /none\.txt as there is no such file/],
    ['that is a directory without files', () => emptyFolder(), /as it is a directory without files/],
    ['that is empty', () => file('empty.txt', ''), /empty\.txt as it is empty/],
    [
      'that is binary',
      () =>
        file(
          'data.bin',
          Uint8Array.from({ length: 512 }, (_, n) => n % 7),
        ),
      /data\.bin as /,
    ],
    ['that is not UTF-8', () => file('latin.txt', Buffer.from('caf\u00e9 noir, et encore du caf\u00e9', 'latin1')), /latin\.txt as /],
  ]
  it.each(cases)('%s', async (_, make, message) => {
    const outcome = await cli(['ask', make(), 'Who?', ...remote(await serve(answering))])
    expectError(outcome, message)
    expect(outcome.code).toBe(5)
  })

  it.each([
    ['a byte of another encoding', Buffer.from('caf\u00e9', 'latin1'), 'not valid UTF-8 at byte 3'],
    ['half of a surrogate pair', Buffer.from([0x61, 0xed, 0xa0, 0xbd]), 'not valid UTF-8 at byte 1'],
    ['a NUL', Buffer.from('a\0b'), 'a NUL at byte 1'],
  ])('says where %s stands', async (_, content, message) => {
    const outcome = await cli(['ask', file('odd.txt', content), 'Who?', ...remote(await serve(answering))])
    expectError(outcome, new RegExp(`odd\\.txt as .*${message}`))
  })

  it('that is larger than the limit', async () => {
    const path = file('huge.txt', 'a')
    truncateSync(path, 300 * 2 ** 20)
    const outcome = await cli(['ask', path, 'Who?', ...remote(await serve(answering))])
    expectError(outcome, /huge\.txt as its size is above the limit of 268435456 bytes/)
    expect(outcome.code).toBe(5)
  })
})

describe('a model that cannot be used exits with 6', () => {
  const gguf = (change: (path: string) => void): string => {
    const path = join(place.folder, 'model.gguf')
    copyFileSync(weights, path)
    change(path)
    return path
  }
  const files: [string, () => string, RegExp][] = [
    ['a file that is not there', () => join(place.folder, 'none.gguf'), /as its file does not exist: .*none\.gguf/],
    ['a directory', () => place.folder, /not understood|is a directory/],
    [
      'a file that is cut short',
      () => gguf((path) => truncateSync(path, 50_000_000)),
      /model\.gguf as tensor .* needs bytes .* and there are/,
    ],
    ['a file of another kind', () => file('text.gguf', 'this is no model'), /text\.gguf as it does not start with "GGUF"/],
    [
      'a header of absurd sizes',
      () => file('absurd.gguf', Buffer.concat([Buffer.from('GGUF\u0003\0\0\0'), Buffer.alloc(16, 0xff)])),
      /absurd\.gguf as the number of tensors .* is absurd/,
    ],
  ]
  it.each(files)('%s', async (name, make, message) => {
    const outcome = await cli(['ask', place.book, 'Who?', '--model', make()])
    expectError(outcome, message)
    expect(outcome.code).toBe(name === 'a directory' ? 2 : 6)
  })

  it('a key that is not valid', async () => {
    const server = await serve({
      kind: 'error',
      status: 401,
      error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' },
    })
    const outcome = await cli(['ask', place.book, 'Who?', ...remote(server)])
    expectError(outcome, /key/i)
    expect(outcome.err).toMatch(/What was read is kept\. To go on: scriptorium ask/)
    expect([outcome.code, server.requests.length]).toEqual([6, 1])
  })

  it('a missing key', async () => {
    const key = process.env['OPENAI_API_KEY']
    delete process.env['OPENAI_API_KEY']
    try {
      const outcome = await cli(['ask', place.book, 'Who?', '--model', 'openai:gpt-4o-mini'])
      expectError(outcome, /there is no key\. Set OPENAI_API_KEY/)
      expect(outcome.code).toBe(6)
    } finally {
      if (key !== undefined) process.env['OPENAI_API_KEY'] = key
    }
  })
})

describe('what does not fit the window exits with 8 and names the parts', () => {
  const long = 'whale '.repeat(6_000)
  it.each<[string, string, string, number, RegExp]>([
    ['a text for one call', long, 'Who?', 4_000, /document \d+/],
    ['a question', text, long, 4_000, /question \d+/],
    ['a prompt', text, 'Who?', 60, /instruction \d+.*output \d+/],
  ])('%s', async (_, content, question, window, message) => {
    const server = await serve(answering)
    const outcome = await cli(['ask', file('long.txt', content), question, ...remote(server, 'stuff', window)])
    expectError(outcome, message)
    expect([outcome.code, server.requests.length]).toEqual([8, 0])
  })
})

describe('a store that cannot be used exits with 7', () => {
  it.each<[string, () => string, RegExp]>([
    ['below a file', () => join(file('plain', ''), 'store'), /Cannot open the store as .*ENOTDIR/],
    [
      'that another program wrote',
      () => (mkdirSync(place.store), writeFileSync(join(place.store, 'runs.db'), 'notes '.repeat(500)), place.store),
      /runs\.db/,
    ],
  ])('%s', async (_, make, message) => {
    const outcome = await cli(['ask', place.book, 'Who?', '--store', make(), ...remote(await serve(answering))])
    expectError(outcome, message)
    expect(outcome.code).toBe(7)
  })

  it.skipIf(!canMount)('on a read-only disk (needs mount)', async () => {
    const disk = mount('size=1m,ro')
    const outcome = await cli(['ask', place.book, 'Who?', '--store', join(disk, 'store'), ...remote(await serve(answering))])
    expectError(outcome, /Cannot open the store/)
    expect(outcome.code).toBe(7)
  })

  it.skipIf(!canMount)('on a full disk (needs mount)', async () => {
    const disk = mount('size=512k')
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(200_000))
    const server = await serve({ kind: 'answer', text: `NOTES: ${'the whale is white. '.repeat(30)}` })
    const long = file('long.txt', 'The whale is white and swims on. '.repeat(4_000))
    const flags = [...remote(server, 'map-reduce'), '--chunk-tokens', '30', '--store', join(disk, 'store')]
    const outcome = await cli(['ask', long, 'Which colour?', ...flags])
    expect(outcome.err).toMatch(/disk is full.*Free space on the disk/)
    expect(outcome.code).toBe(7)
  })
})
