import type { PDFDocumentProxy } from 'pdfjs-dist/types/src/display/api.js'

/** An entry of the outline that a reader shows beside the pages. */
export interface OutlineEntry {
  readonly title: string
  /** 1 is the highest. */
  readonly level: number
  /** From 1. */
  readonly page: number
  /** Where on the page, from the top; undefined where the entry names the page only. */
  readonly y: number | undefined
}

interface OutlineNode {
  readonly title: string
  readonly dest: string | readonly unknown[] | null
  readonly items: readonly OutlineNode[]
}

/** Entries that are read, at most; a hostile outline may have no end. */
const MOST_ENTRIES = 5_000
const DEEPEST = 6

/** Reads the outline, in its order; entries that lead nowhere are left out. */
export async function readOutline(pdf: PDFDocumentProxy, heights: readonly number[]): Promise<OutlineEntry[]> {
  const entries: OutlineEntry[] = []
  const visit = async (nodes: readonly OutlineNode[], level: number): Promise<void> => {
    for (const node of nodes) {
      if (entries.length >= MOST_ENTRIES) return
      const title = node.title.replace(/\s+/g, ' ').trim()
      const place = title === '' ? undefined : await placeOf(pdf, node.dest, heights)
      if (place) entries.push({ title, level, ...place })
      if (level < DEEPEST) await visit(node.items, level + 1)
    }
  }
  await visit((await pdf.getOutline()) ?? [], 1)
  return entries
}

async function placeOf(
  pdf: PDFDocumentProxy,
  dest: OutlineNode['dest'],
  heights: readonly number[],
): Promise<Pick<OutlineEntry, 'page' | 'y'> | undefined> {
  try {
    const explicit: readonly unknown[] | null = typeof dest === 'string' ? await pdf.getDestination(dest) : dest
    if (!explicit) return undefined
    const [target, , , top] = explicit
    const index = typeof target === 'number' ? target : await pdf.getPageIndex(target as { num: number; gen: number })
    const height = heights[index]
    return { page: index + 1, y: typeof top === 'number' && height !== undefined ? height - top : undefined }
  } catch {
    // A destination that does not exist.
    return undefined
  }
}
