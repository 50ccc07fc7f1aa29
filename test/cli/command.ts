/** A store, documents, servers and disks for the tests of the command, all gone after each test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { runCli } from '../../cli/run-cli.ts'
import { type Behaviour, openAIServer, type OpenAIServer } from '../models/openai-server.ts'
import { mountDisk, unmountDisk } from '../small-disk.ts'
import { fakeTerminal, type FakeTerminal } from './fake-terminal.ts'

export const text =
  'CHAPTER I\n\nCaptain Ahab hunts the white whale. The whale took his leg.\n\nCHAPTER II\n\nThe ship is called the Pequod.\n'
const found = 'ANSWER: Captain Ahab does.\nQUOTE: "Captain Ahab hunts the white whale."'
/** Answers as the prompt asks: with notes or without. */
export const answering: Behaviour = {
  kind: 'choose',
  choose: (prompt) => ({ kind: 'answer', text: prompt.includes('NOTES') ? `NOTES: Ahab hunts the whale [q1].\n${found}` : found }),
}

/** Where the running test works. */
export const place = { folder: '', book: '', store: '' }
let mounts: string[] = []
let servers: OpenAIServer[] = []

/** Gives each test of the file a folder with a book in it, and takes away what it made. */
export function useCommand(): void {
  beforeEach(() => {
    place.folder = mkdtempSync(join(tmpdir(), 'cli-'))
    place.book = file('whale.txt', text)
    place.store = join(place.folder, 'store')
    mounts = []
    servers = []
  })

  afterEach(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    for (const disk of mounts) unmountDisk(disk)
    rmSync(place.folder, { recursive: true })
  })
}

export function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(place.folder, name), content)
  return join(place.folder, name)
}

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly terminal: FakeTerminal
}

export async function cli(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}): Promise<Outcome> {
  const terminal = fakeTerminal({ ...options, env: { SCRIPTORIUM_HOME: place.store, ...options.env } })
  const code = await runCli(args, terminal)
  return { code, out: terminal.out, err: terminal.err, terminal }
}

export async function serve(...behaviours: Behaviour[]): Promise<OpenAIServer> {
  const server = await openAIServer(...behaviours)
  servers.push(server)
  return server
}

/** Flags that name a server's model with a window of its own. */
export function remote({ baseURL }: Pick<OpenAIServer, 'baseURL'>, strategy = 'stuff', window = 4_000): string[] {
  return ['--model', `openai:test-model@${baseURL}`, '--window', String(window), '--max-output', '300', '--strategy', strategy]
}

/** A disk of its own for the test, with tmpfs options. */
export function mount(options: string): string {
  const disk = mountDisk(place.folder, options)
  mounts.push(disk)
  return disk
}

/** One line that names what is wrong; nothing on standard output and no stack. */
export function expectError({ out, err }: Outcome, message: RegExp): void {
  expect(err).toMatch(message)
  expect(
    err
      .trim()
      .split('\n')
      .filter((line) => /^(?!Reading|Indexing|What was read)/.test(line)).length,
  ).toBe(1)
  expect(err).not.toMatch(/\n\s+at /)
  expect(out).toBe('')
}
