import { open, stat, writeFile } from 'node:fs/promises'
import { PAGE_START } from './chunk-page.ts'
import { UsageError } from './usage-error.ts'

/**
 * Lets a page be written anew and over an empty file, and nothing else be lost: a file that is read may stand there, by itself, in a folder or
 * behind a link.
 *
 * @throws UsageError when another file is there
 */
export async function checkPage(page: string): Promise<void> {
  const found = await stat(page).catch(() => undefined)
  if (found === undefined || !found.isFile() || found.size === 0 || (await startOf(page)) === PAGE_START) return
  throw new UsageError(
    `Cannot write the page over a file that is none of this command's pages: ${page}. Use --view=OUT.html with another name`,
  )
}

/** As much of a file as tells; empty where it cannot be read. */
async function startOf(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PAGE_START.length), 0, PAGE_START.length, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return ''
  }
}

/** @throws UsageError when it cannot be written there */
export async function writePage(page: string, html: string): Promise<void> {
  try {
    await writeFile(page, html)
  } catch (cause) {
    throw new UsageError(`Cannot write the page: ${cause instanceof Error ? cause.message : String(cause)}. Use --view=OUT.html`, { cause })
  }
}
