import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { join } from 'node:path'
import { measureKills } from '../../bench/service-kill.ts'
import { openService, serve } from '../../service/index.ts'
import { scriptedModel } from '../../testing/index.ts'
import { serviceFixture, userTurn } from './service-fixture.ts'

/** Points at which the service is killed; more by the environment. */
const kills = Number(process.env['SCRIPTORIUM_KILLS'] ?? 2)

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Sends bytes as they are; gives the first line of what comes back. */
function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => void socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (part) => {
      text += String(part)
      if (text.includes('\r\n')) socket.destroy()
    })
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
    socket.on('error', reject)
  })
}

describe('a server', () => {
  it('lets what is under way finish when it is stopped, and takes no more', async () => {
    let answer = (): void => undefined
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const model = scriptedModel({ fallback: 'In the barn.' })
    const slow: typeof model = Object.assign(Object.create(model) as typeof model, {
      async stream(...args: Parameters<typeof model.stream>) {
        asked()
        await new Promise<void>((resolve) => (answer = resolve))
        return model.stream(...args)
      },
    })
    const service = await openService(folder, { model: slow, open: true })
    const server = await serve(service, { port: 0 })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: 'Where is the kiln?' }) }
    const reply = fetch(`${server.url}/v1/threads/t/answer`, init)
    await isAsked
    const stopped = server.stop()
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed')
    answer()
    expect(await (await reply).json()).toMatchObject({ text: 'In the barn.' })
    await stopped
    const again = await openService(folder, { open: true })
    expect(await (await again.fetch(new Request('http://localhost/v1/threads/t'))).json()).toMatchObject({ turns: 2 })
    await again.close()
  })

  it('streams events as they come', async () => {
    const service = await openService(folder, { model: scriptedModel({ fallback: 'In the barn.' }), open: true })
    const server = await serve(service, { port: 0 })
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    const response = await fetch(`${server.url}/v1/threads/t/answer`, { method: 'POST', headers, body: JSON.stringify({ text: 'Where?' }) })
    const text = await response.text()
    expect(text).toMatch(/^event: run.started\ndata: \{/)
    expect(text).toContain('event: run.finished')
    await server.stop()
  })

  it('refuses headers that are too long and requests that are none', async () => {
    const server = await serve(await openService(folder, { open: true }), { port: 0 })
    expect(await sendRaw(server.url, `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/ 431 /)
    expect(await sendRaw(server.url, 'NONSENSE\r\n\r\n')).toMatch(/ 400 /)
    await server.stop()
  })

  it('says which port is taken', async () => {
    const server = await serve(await openService(folder, { open: true }), { port: 0 })
    const other = await serviceFixture()
    await expect(serve(other.service, { port: Number(new URL(server.url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await other[Symbol.asyncDispose]()
    await server.stop()
  })

  it('does not listen beyond its machine while there is no key', async () => {
    const open = await serviceFixture({ open: true })
    await expect(serve(open.service, { host: '0.0.0.0', port: 0 })).rejects.toThrow(/0\.0\.0\.0 as there is no key/)
    await open.key({ user: 'ada' })
    const server = await serve(open.service, { host: '0.0.0.0', port: 0 })
    await server.stop()
  })
})

describe('a service over files', () => {
  it('derives at its next start what it did not come to before', async () => {
    const first = await openService(folder, { open: true })
    const body = JSON.stringify({ turns: [userTurn('My name is Zoe and I live in Graz.')] })
    await first.fetch(
      new Request('http://localhost/v1/threads/t/turns', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
    )
    await first.close({ signal: AbortSignal.abort() })
    // As after a crash between a write and its job.
    rmSync(join(folder, 'jobs.db'))
    const second = await openService(folder, { open: true })
    await second.idle()
    expect(await (await second.fetch(new Request('http://localhost/v1/profile'))).text()).toContain('Graz')
    await second.close()
  })

  it(
    `that is killed at ${kills} points under load has lost, doubled and forgotten nothing`,
    async () => {
      const { figures } = await measureKills({ seed: 7, signal: new AbortController().signal, log: () => undefined }, kills)
      expect(figures['acknowledged']).toBeGreaterThan(kills)
      expect(figures).toMatchObject({ lost: 0, duplicated: 0, misplaced: 0, underived: 0, unfinishedJobs: 0, faults: 0 })
    },
    60_000 + 40_000 * kills,
  )
})
