import type { Section } from './document.ts'

/**
 * Makes a function from an offset to the titles of the sections that hold it, outermost first. One sweep, then a binary search a call;
 * offsets of one place share one array.
 */
export function sectionPaths(sections: readonly Section[]): (offset: number) => readonly string[] {
  const { borders, open } = sweep(sections)
  return (offset) => pathOf(open[lastAtOrBefore(borders, offset)])
}

const NO_SECTIONS: readonly string[] = Object.freeze([])

/** Index of the last number that is at most `value` in an ascending list; -1 before the first. */
export function lastAtOrBefore(ascending: ArrayLike<number>, value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** A section that is open, with the one that holds it. */
interface OpenSection {
  readonly section: Section
  readonly parent: OpenSection | undefined
  /** Titles down to it, once they were asked for. */
  path?: readonly string[]
}

function pathOf(open: OpenSection | undefined): readonly string[] {
  if (!open) return NO_SECTIONS
  open.path ??= Object.freeze([...pathOf(open.parent), open.section.title])
  return open.path
}

/** Sections nest, so a chain holds those that are open; every start and end is a border with the section that is innermost from there on. */
function sweep(sections: readonly Section[]): { borders: number[]; open: (OpenSection | undefined)[] } {
  const borders: number[] = []
  const open: (OpenSection | undefined)[] = []
  let inner: OpenSection | undefined
  const closeUntil = (offset: number): void => {
    while (inner && inner.section.end <= offset) {
      borders.push(inner.section.end)
      inner = inner.parent
      open.push(inner)
    }
  }
  for (const section of sections) {
    closeUntil(section.start)
    inner = { section, parent: inner }
    borders.push(section.start)
    open.push(inner)
  }
  closeUntil(Infinity)
  return { borders, open }
}
