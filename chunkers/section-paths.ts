import type { Section } from './document.ts'

/**
 * Makes a function from an offset to the titles of the sections that hold it, outermost first. One sweep, then a binary search a call;
 * offsets of one place share one array.
 */
export function sectionPaths(sections: readonly Section[]): (offset: number) => readonly string[] {
  const { borders, paths } = sweep(sections)
  return (offset) => paths[lastAtOrBefore(borders, offset)] ?? NO_SECTIONS
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

/** Sections nest, so a stack holds those that are open; every start and end is a border with the path that holds from there on. */
function sweep(sections: readonly Section[]): { borders: number[]; paths: (readonly string[])[] } {
  const borders: number[] = []
  const paths: (readonly string[])[] = []
  const open: Section[] = []
  const mark = (offset: number): void => {
    borders.push(offset)
    paths.push(Object.freeze(open.map((section) => section.title)))
  }
  const closeUntil = (offset: number): void => {
    for (let last = open.at(-1); last && last.end <= offset; last = open.at(-1)) {
      open.pop()
      mark(last.end)
    }
  }
  for (const section of sections) {
    closeUntil(section.start)
    open.push(section)
    mark(section.start)
  }
  closeUntil(Infinity)
  return { borders, paths }
}
