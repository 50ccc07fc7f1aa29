import { parseXml } from './parse-xml.ts'
import type { Archive } from './unzip.ts'

const CORE = 'docProps/core.xml'

/** The title among the properties of an office file (ECMA-376, part 2, 11). */
export function officeTitle(archive: Archive, source: string): string | undefined {
  const bytes = archive.file(CORE)
  if (!bytes) return undefined
  let title = ''
  let inTitle = false
  parseXml(
    bytes,
    { source, part: CORE },
    {
      open: (name) => void (inTitle = name === 'title'),
      close: () => void (inTitle = false),
      text: (text) => void (inTitle && (title += text)),
    },
  )
  return title.replace(/\s+/g, ' ').trim() || undefined
}
