import { zipSync } from 'fflate'
import { loadOptional } from '../../errors/index.ts'
import { parseHtml } from './html-nodes.ts'
import { appendHtml } from './html-text.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { officeTitle } from './office-title.ts'
import { damaged, messageOf } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'
import { type Archive, openArchive } from './unzip.ts'

/** Parts that hold no text. */
const NO_TEXT = /(?:^|\/)(?:media|embeddings|fonts)\/|\.(?:bin|emf|gif|jpe?g|odttf|png|tiff?|ttf|wmf)$/i

const TITLE_STYLE = "p[style-name='Title'] => p.title:fresh"

/** Reads a Word document (ECMA-376): its headings, lists, tables and notes. */
export async function loadDocx(bytes: Uint8Array, { source, maxBytes }: LoadContext): Promise<LoadedText> {
  const { default: mammoth } = await loadOptional('mammoth', `read ${source}`, () => import('mammoth'))
  const archive = openArchive(bytes, { source, maxBytes })
  const buffer = repack(archive)
  const { value: html } = await mammoth
    .convertToHtml(
      { buffer },
      {
        styleMap: TITLE_STYLE,
        includeEmbeddedStyleMap: false,
        convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
      },
    )
    .catch((cause: unknown) => {
      throw damaged(source, `its text cannot be made out (${messageOf(cause)})`, cause)
    })
  const builder = new TextBuilder()
  const { body } = await parseHtml(html, source)
  if (body) appendHtml(builder, body)
  const title = body?.querySelector('p.title')?.textContent?.replace(/\s+/g, ' ').trim()
  return builder.end(officeTitle(archive, source) ?? (title || undefined))
}

/** The same archive with its true sizes and without pictures: the parser inflates without a limit of its own. */
function repack(archive: Archive): Buffer {
  const files = Object.fromEntries(archive.read((name) => !NO_TEXT.test(name)))
  for (const name of archive.names) files[name] ??= new Uint8Array()
  const bytes = zipSync(files, { level: 0 })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
