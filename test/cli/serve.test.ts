import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../cli/run-cli.ts'
import { cli, file, type Outcome, place, useCommand } from './command.ts'
import { fakeTerminal, type FakeTerminal } from './fake-terminal.ts'

const quiet = ['--model', 'none', '--vectors', 'no', '--port', '0']

/** Of the settings that are printed first, nothing is asked. */
function expectRefusal({ code, out, err }: Outcome, exitCode: number, message: RegExp): void {
  expect(err).toMatch(message)
  expect(err).not.toMatch(/\n\s+at /)
  expect([code, out]).toEqual([exitCode, ''])
}

/** Starts the service; gives where it listens. */
async function start(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ terminal: FakeTerminal; code: Promise<number>; url: string }> {
  const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: place.store, ...env } })
  const code = runCli(['serve', ...quiet, ...args], terminal)
  await terminal.says('Listening on')
  const [url = ''] = /http:\/\/\S+/.exec(terminal.err) ?? []
  return { terminal, code, url }
}

describe('scriptorium serve', { timeout: 60_000 }, () => {
  useCommand()

  it('keeps what is told over HTTP, also when it is started again', async () => {
    const first = await start()
    const body = JSON.stringify({ turns: [{ role: 'user', text: 'The kiln is in the barn.' }] })
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(`${first.url}/v1/threads/t/turns`, { method: 'POST', body, headers })
    expect(status).toBe(201)
    first.terminal.interrupt()
    expect(await first.code).toBe(0)
    const second = await start()
    const { items } = (await (await fetch(`${second.url}/v1/threads/t/turns`)).json()) as { items: object[] }
    expect(items).toMatchObject([{ text: 'The kiln is in the barn.' }])
    second.terminal.interrupt()
    expect(await second.code).toBe(0)
  })

  it('prints with what it runs and why, but for what is secret', async () => {
    const config = file('settings.json', JSON.stringify({ rate: 7, cors: 'https://me:pass@example.org' }))
    const { terminal, code, url } = await start(['--config', config], { SCRIPTORIUM_LOG_LEVEL: 'warn' })
    expect(terminal.err).toMatch(/host +127\.0\.0\.1 \(default\)/)
    expect(terminal.err).toMatch(/model +none \(--model\)/)
    expect(terminal.err).toMatch(/rate +7 \(file\)/)
    expect(terminal.err).toMatch(/logLevel +warn \(\$SCRIPTORIUM_LOG_LEVEL\)/)
    expect(terminal.err).not.toContain('pass')
    await fetch(`${url}/v1/threads`)
    terminal.interrupt()
    await code
    expect(terminal.out).toBe('')
  })

  it('logs requests as JSON without what stands in their headers', async () => {
    const { terminal, code, url } = await start()
    await fetch(`${url}/v1/threads?limit=3`, { headers: { authorization: 'Bearer very-secret' } })
    terminal.interrupt()
    await code
    const lines = terminal.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'request', method: 'GET', path: '/v1/threads', status: 200 }))
    expect(terminal.out).not.toContain('very-secret')
  })

  it('refuses a second server of the same folder', async () => {
    const { terminal, code } = await start()
    const second = await cli(['serve', ...quiet])
    expectRefusal(second, 7, /database is locked.*Stop the other server/)
    terminal.interrupt()
    await code
  })

  it('refuses other machines while there is no key, and lets them in when there is', async () => {
    const refused = await cli(['serve', ...quiet, '--host', '0.0.0.0'])
    expectRefusal(refused, 2, /no key.*serve keys add/)
    await cli(['serve', 'keys', 'add', '--tenant', 'acme'])
    const { terminal, code, url } = await start(['--host', '0.0.0.0'])
    expect((await fetch(`${url.replace('0.0.0.0', '127.0.0.1')}/v1/threads`)).status).toBe(401)
    terminal.interrupt()
    expect(await code).toBe(0)
  })

  it.each([
    [['--port', 'x'], /must be a port/],
    [['--port', '70000'], /must be a port/],
    [['--summaries', 'maybe'], /yes or no/],
    [['--config', '/nowhere/settings.json'], /Cannot read the settings/],
    [['--model', 'nonsense'], /not understood/],
  ])('refuses %j', async (args, message) => {
    expectRefusal(await cli(['serve', '--vectors', 'no', ...args]), 2, message)
  })

  it.each([
    ['[]', /no JSON object/],
    ['{"speed": 1}', /none named speed/],
    ['{"port": "high"}', /port of the file/],
  ])('refuses the settings %s', async (json, message) => {
    expectRefusal(await cli(['serve', '--config', file('bad.json', json)]), 2, message)
  })
})

describe('scriptorium serve keys', { timeout: 60_000 }, () => {
  useCommand()

  it('shows a key once, which opens what it is bound to, until it is revoked', async () => {
    const added = await cli([
      'serve',
      'keys',
      'add',
      '--tenant',
      'acme',
      '--user',
      'ada',
      '--right',
      'read',
      '--name',
      'phone',
      '--days',
      '30',
    ])
    const key = added.out.trim()
    expect(key).toMatch(/^scriptorium_[0-9a-f]{16}_[\w-]{43}$/)
    const listed = await cli(['serve', 'keys', 'list'])
    expect(listed.out).toMatch(/phone; tenant acme, user ada; read; expires \d{4}-/)
    expect(listed.out).not.toContain(key.slice(-43))

    const { terminal, code, url } = await start()
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${url}/v1/threads`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await ask(key)).toBe(200)
    const rotated = await cli(['serve', 'keys', 'rotate', key.slice(12, 28), '--hours', '0'])
    expect(await ask(key)).toBe(401)
    const next = rotated.out.trim()
    expect(await ask(next)).toBe(200)
    await cli(['serve', 'keys', 'revoke', next.slice(12, 28)])
    expect(await ask(next)).toBe(401)
    terminal.interrupt()
    await code
  })

  it('gives keys as JSON', async () => {
    const { out } = await cli(['serve', 'keys', 'add', '--tenant', 'acme', '--json'])
    const key = JSON.parse(out) as Record<string, unknown>
    expect(key).toMatchObject({ tenant: 'acme', rights: ['read', 'write'] })
    const listed = await cli(['serve', 'keys', 'list', '--json'])
    expect(JSON.parse(listed.out)).toEqual([expect.objectContaining({ id: key['id'], tenant: 'acme' })])
    expect(listed.out).not.toContain('hash')
  })

  it.each([
    [['add'], /--tenant/],
    [['add', '--tenant', 'a', '--thread', 't'], /threads are a user's/],
    [['add', '--tenant', 'a', '--right', 'fly'], /give some of read, write/],
    [['revoke', 'nothing'], /Cannot find a key in force/],
    [['rotate', 'nothing'], /Cannot find a key in force/],
  ])('refuses %j', async (args, message) => {
    expectRefusal(await cli(['serve', 'keys', ...args]), 2, message)
  })

  it('keeps nothing that the key could be read from', async () => {
    const { out } = await cli(['serve', 'keys', 'add', '--tenant', 'acme'])
    const bytes = ['keys.db', 'keys.db-wal'].map((name) => {
      try {
        return readFileSync(join(place.store, 'service', name), 'latin1')
      } catch {
        return ''
      }
    })
    expect(bytes.join('')).toContain('acme')
    expect(bytes.join('')).not.toContain(out.trim().slice(-43))
  })
})
