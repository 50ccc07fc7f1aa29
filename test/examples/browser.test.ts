import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PageServer, servePage } from '../../examples/browser/serve.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

const skipsSlow = process.env['SKIP_SLOW_DEVICES'] === '1'
const text = 'Cats sleep. Dogs bark.'
// Chromium brings an adapter made of software.
const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan']
const timeout = 170_000

describe.skipIf(skipsSlow || !existsSync(executablePath))(
  `the page, in ${executablePath} (skipped with SKIP_SLOW_DEVICES)`,
  { timeout },
  () => {
    let folder: string
    let server: PageServer
    let browser: Browser
    let page: Page
    const problems: string[] = []

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'page-'))
      await writeFile(join(folder, 'tiny.gguf'), writeTinyModel({ type: 'Q4_1', shape: { layers: 1 } }))
      await writeFile(join(folder, 'not-a-model.gguf'), 'this is a text')
      server = await servePage({ model: join(folder, 'tiny.gguf') })
      browser = await chromium.launch({ executablePath, args })
      page = await browser.newPage()
      page.setDefaultTimeout(timeout)
      page.on('pageerror', (error) => problems.push(error.message))
      await page.goto(server.url)
      await page.getByLabel('Text').fill(text)
    }, timeout)

    afterAll(async () => {
      await browser.close()
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    })

    const focused = (): Promise<string | null> => page.locator(':focus').getAttribute('id')

    /** Asks by the keyboard; gives what the page says in the end. */
    async function ask(): Promise<string> {
      await page.getByLabel('Question').press('Enter')
      await page.waitForFunction(() =>
        /Done|Stopped/.test(String(Reflect.get(globalThis, 'document').querySelector('#status').textContent)),
      )
      return (await page.getByRole('status').textContent()) ?? ''
    }

    async function marked(): Promise<string | null> {
      expect(await page.locator('#error').textContent()).toBe('')
      expect(problems).toEqual([])
      expect(await page.locator('#answer').textContent()).toBe(text)
      return page.locator('#answer mark').textContent()
    }

    test('has a name for all that can be reached by the keyboard, in the order of reading', async () => {
      await page.getByRole('heading', { level: 1 }).click()
      const order: (string | null)[] = []
      for (let step = 0; step < 6; step++) {
        await page.keyboard.press('Tab')
        order.push(await focused())
      }
      expect(order).toEqual(['file', 'url', 'device', 'text', 'question', 'ask'])
      for (const name of ['File', 'or address', 'Runs on', 'Text', 'Question'])
        expect(await page.getByLabel(name, { exact: true }).count()).toBe(1)
    })

    test('marks one sentence of the text, which stays as it was, on the processor and where auto falls back to it', async () => {
      expect(await ask()).toBe('Done')
      const quoted = await marked()
      expect(['Cats sleep.', 'Dogs bark.']).toContain(quoted)
      expect(await focused()).toBe('answer')
      await page.getByLabel('Runs on').selectOption('auto')
      expect(await ask()).toMatch(/^Done\. Running on the CPU as .+/)
      expect(await marked()).toBe(quoted)
    })

    test('marks the same sentence on WebGPU (skipped where the browser has no adapter)', async ({ skip }) => {
      const quoted = await page.locator('#answer mark').textContent()
      const hasAdapter = await page.evaluate(async () =>
        Boolean(await Reflect.get(Reflect.get(globalThis, 'navigator'), 'gpu')?.requestAdapter()),
      )
      skip(!hasAdapter, 'the browser has no adapter')
      await page.getByLabel('Runs on').selectOption('webgpu')
      expect(await ask()).toBe('Done')
      expect(await marked()).toBe(quoted)
    })

    test('says what is wrong with a file that is no model, and shows no quotation of before', async () => {
      await page.getByLabel('File').setInputFiles(join(folder, 'not-a-model.gguf'))
      expect(await ask()).toBe('Stopped')
      expect(await page.getByRole('alert').textContent()).toMatch(
        /^Cannot read the model file not-a-model\.gguf as it does not start with "GGUF"/,
      )
      expect(await page.locator('#answer').textContent()).toBe('')
      expect(await focused()).toBe('ask')
    })
  },
)
