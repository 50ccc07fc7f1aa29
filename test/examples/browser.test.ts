import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PageServer, servePage } from '../../examples/browser/serve.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

describe.skipIf(!existsSync(executablePath))(`the page, in ${executablePath}`, () => {
  let folder: string
  let server: PageServer
  let browser: Browser
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'page-'))
    await writeFile(join(folder, 'tiny.gguf'), writeTinyModel({ type: 'Q4_1' }))
    await writeFile(join(folder, 'not-a-model.gguf'), 'this is a text')
    server = await servePage({ model: join(folder, 'tiny.gguf') })
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--enable-unsafe-webgpu'] })
    page = await browser.newPage()
    page.setDefaultTimeout(150_000)
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(server.url)
  }, 170_000)

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  async function ask(): Promise<void> {
    await page.getByRole('button', { name: 'Ask' }).press('Enter')
    await page.waitForFunction(() => /Done|Stopped/.test(String(Reflect.get(globalThis, 'document').querySelector('#status').textContent)))
  }

  test('marks one sentence of the text, which stays as it was', { timeout: 170_000 }, async () => {
    await ask()
    expect(problems).toEqual([])
    expect(await page.getByRole('alert').isVisible()).toBe(false)
    expect(await page.locator('#answer').textContent()).toBe(await page.getByLabel('Text').inputValue())
    const text = await page.getByLabel('Text').inputValue()
    const quoted = (await page.locator('#answer mark').textContent()) ?? ''
    expect(text).toContain(quoted)
    expect(quoted).toMatch(/\.$/)
    const shot = process.env['SCREENSHOT_PATH']
    if (shot !== undefined) await page.screenshot({ path: shot })
  })

  test('says what is wrong with a file that is no model', { timeout: 170_000 }, async () => {
    await page.getByLabel('File').setInputFiles(join(folder, 'not-a-model.gguf'))
    await ask()
    expect(await page.getByRole('alert').textContent()).toContain('not-a-model.gguf')
  })
})
