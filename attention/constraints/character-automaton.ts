/** From automata over characters to automata over the bytes that spell these. */
import { byteTable, type ByteTable, type TableState } from './byte-table.ts'

/** Code points from `min` to `max`. */
export interface CharacterRange {
  readonly min: number
  readonly max: number
}

export interface CharacterState {
  readonly accepts: boolean
  /** Ranges that lead on. They do not overlap. */
  readonly edges: readonly { readonly ranges: readonly CharacterRange[]; readonly to: number }[]
}

/** How characters are written: as they are, or inside a JSON string, where some have to be escaped. */
export type Spelling = 'plain' | 'json'

type ByteRange = readonly [low: number, high: number]

/** A way to spell some characters, and where it leads. */
interface Way {
  readonly bytes: readonly ByteRange[]
  readonly to: number
}

/** The automaton over the UTF-8 bytes of what `states` accept; state 0 is the first. */
export function spelledTable(states: readonly CharacterState[], spelling: Spelling, usable: Uint8Array): ByteTable {
  const table: TableState[] = states.map(({ accepts }) => ({ accepts, edges: new Map() }))
  const known = new Map<string, number>()
  const stateOf = (ways: readonly Way[]): number => {
    const [first] = ways
    if (first?.bytes.length === 0) return first.to
    const key = ways.map(({ bytes, to }) => `${bytes.join(' ')}>${to}`).join('|')
    const seen = known.get(key)
    if (seen !== undefined) return seen
    const state = table.push({ accepts: false, edges: new Map() }) - 1
    known.set(key, state)
    table[state] = { accepts: false, edges: edgesOf(ways) }
    return state
  }
  const edgesOf = (ways: readonly Way[]): Map<number, number> => {
    const edges = new Map<number, number>()
    for (let byte = 0; byte < 256; byte++) {
      const going = ways.filter(({ bytes: [range] }) => range !== undefined && range[0] <= byte && byte <= range[1])
      if (going.length > 0) edges.set(byte, stateOf(going.map(({ bytes, to }) => ({ bytes: bytes.slice(1), to }))))
    }
    return edges
  }
  for (const [index, { accepts, edges }] of states.entries()) {
    const ways = edges.flatMap(({ ranges, to }) => ranges.flatMap((range) => spellings(range, spelling).map((bytes) => ({ bytes, to }))))
    table[index] = { accepts, edges: edgesOf(ways) }
  }
  return byteTable(table, usable)
}

const utf8 = new TextEncoder()

function spellings(range: CharacterRange, spelling: Spelling): readonly ByteRange[][] {
  if (spelling === 'plain') return utf8Ranges(range)
  const plain = cut(range, escaped).flatMap(utf8Ranges)
  const written = escaped.flatMap(({ min, max }) => {
    const codes: number[] = []
    for (let code = Math.max(min, range.min); code <= Math.min(max, range.max); code++) codes.push(code)
    return codes.map((code) =>
      Array.from(utf8.encode(JSON.stringify(String.fromCodePoint(code)).slice(1, -1)), (byte): ByteRange => [byte, byte]),
    )
  })
  return [...plain, ...written]
}

/** Control characters, the quotation mark and the backslash. */
const escaped: readonly CharacterRange[] = [
  { min: 0, max: 0x1f },
  { min: 0x22, max: 0x22 },
  { min: 0x5c, max: 0x5c },
]

function cut({ min, max }: CharacterRange, holes: readonly CharacterRange[]): CharacterRange[] {
  const parts: CharacterRange[] = []
  let from = min
  for (const hole of holes) {
    if (hole.max < from || hole.min > max) continue
    if (hole.min > from) parts.push({ min: from, max: hole.min - 1 })
    from = hole.max + 1
  }
  if (from <= max) parts.push({ min: from, max })
  return parts
}

/** Byte ranges whose products are the UTF-8 forms of a range; surrogates have none. */
function utf8Ranges(range: CharacterRange): readonly ByteRange[][] {
  return cut(range, [{ min: 0xd800, max: 0xdfff }]).flatMap(({ min, max }) =>
    [0x7f, 0x7ff, 0xffff, 0x10ffff].flatMap((last, index, lasts) => {
      const low = Math.max(min, index === 0 ? 0 : (lasts[index - 1] ?? 0) + 1)
      const high = Math.min(max, last)
      return low > high ? [] : alike(encoded(low, index + 1), encoded(high, index + 1))
    }),
  )
}

function encoded(code: number, length: number): number[] {
  if (length === 1) return [code]
  const bytes = Array.from({ length }, (_, index) => 0x80 | ((code >> (6 * (length - 1 - index))) & 0x3f))
  bytes[0] = ((0xf00 >> length) & 0xff) | (code >> (6 * (length - 1)))
  return bytes
}

/** Ranges between two byte strings of one length, whose last bytes go from 0x80 to 0xbf. */
function alike(low: readonly number[], high: readonly number[]): ByteRange[][] {
  const [first = 0, ...lowRest] = low
  const [last = 0, ...highRest] = high
  if (lowRest.length === 0) return [[[first, last]]]
  if (first === last) return alike(lowRest, highRest).map((rest) => led(first, rest))
  const least = lowRest.map(() => 0x80)
  const most = lowRest.map(() => 0xbf)
  const ranges: ByteRange[][] = []
  let from = first
  let to = last
  if (lowRest.some((byte) => byte !== 0x80)) {
    ranges.push(...alike(lowRest, most).map((rest) => led(first, rest)))
    from++
  }
  const tail = highRest.some((byte) => byte !== 0xbf) ? alike(least, highRest).map((rest) => led(last, rest)) : []
  if (tail.length > 0) to--
  if (from <= to) ranges.push([[from, to], ...least.map((byte): ByteRange => [byte, 0xbf])])
  return [...ranges, ...tail]
}

function led(byte: number, rest: readonly ByteRange[]): ByteRange[] {
  return [[byte, byte], ...rest]
}
