/** What a cache file says of itself before its numbers. */
import { type CacheForm, quantisedSizes } from '../attention/index.ts'
import { type HashedReader, paddingAt } from './hashed-reader.ts'
import type { CacheIdentity, CacheOrigin } from './local-protocol.ts'

export type StoredForm = 'float32' | CacheForm

export interface CacheHeader extends CacheIdentity, CacheOrigin {
  readonly form: StoredForm
  readonly tokens: number
  /** Layers whose rows follow: the first ones. */
  readonly filled: number
  readonly hasLastHidden: boolean
  /** Hidden rows and scores of all tokens follow: the file holds what a node of a merge came to. */
  readonly isNode?: true
}

const magic = 'SCRCACHE'
const version = 2
/** Bytes before the header. */
const preambleBytes = 16
/** Far more than a header needs; a longer one is damage. */
const longestHeader = 1 << 16

/** The fields of a header that must be those of the model, most telling first, and what they are called. */
const identityFields: readonly (readonly [keyof CacheIdentity, string])[] = [
  ['weightForm', 'weight form'],
  ['model', 'model'],
  ['layers', 'number of layers'],
  ['hidden', 'hidden width'],
  ['kvHeads', 'number of key/value heads'],
  ['headDim', 'head dimension'],
  ['rope', 'rotary embedding'],
  ['policy', 'policy of what is kept'],
]

/** Preamble and header, up to the place where the first part begins. */
export function headerBytes(header: CacheHeader): Uint8Array {
  const text = JSON.stringify(header)
  const padded = text + ' '.repeat(paddingAt(preambleBytes + Buffer.byteLength(text)))
  const json = new TextEncoder().encode(padded)
  const bytes = new Uint8Array(preambleBytes + json.length)
  bytes.set(new TextEncoder().encode(magic))
  const view = new DataView(bytes.buffer)
  view.setUint32(8, version, true)
  view.setUint32(12, json.length, true)
  bytes.set(json, preambleBytes)
  return bytes
}

/**
 * Reads the header, and checks the size of the file by it.
 *
 * @throws ModelFileError when it is not the header of a cache of this version
 */
export async function readHeader(reader: HashedReader): Promise<CacheHeader> {
  reader.need(preambleBytes)
  const preamble = await reader.bytes(preambleBytes)
  const found = new TextDecoder('latin1').decode(preamble.subarray(0, magic.length))
  if (found !== magic) throw reader.error(`its file is not one: it begins with ${JSON.stringify(found)}, not ${JSON.stringify(magic)}`)
  const view = new DataView(preamble.buffer)
  const foundVersion = view.getUint32(8, true)
  if (foundVersion !== version) throw reader.error(`its file has another version: ${foundVersion}, not ${version}`)
  return checked(reader, await readObject(reader, view.getUint32(12, true)))
}

/** @throws ModelFileError when the header is not of a cache of the model, with what differs first */
export function checkIdentity(reader: HashedReader, header: CacheHeader, identity: CacheIdentity): void {
  for (const [field, name] of identityFields) {
    if (header[field] === identity[field]) continue
    throw reader.error(`it was made with another ${name}: ${JSON.stringify(header[field])}, not ${JSON.stringify(identity[field])}`)
  }
  reader.needExactly(partSizes(header).reduce((sum, size) => sum + size + paddingAt(size), 0))
}

/** Bytes of each part after the header, in order. */
function partSizes({ form, tokens, filled, hasLastHidden, isNode, hidden, layers, kvHeads, headDim }: CacheHeader): number[] {
  const sizes = [tokens * 4, tokens * 4, tokens * 4]
  if (hasLastHidden) sizes.push(hidden * 4)
  const rows = tokens * kvHeads * headDim * 4
  const coded = form === 'float32' ? undefined : quantisedSizes(tokens, { layers, kvHeads, headDim }, form)
  const layer = coded === undefined ? [rows, rows] : [coded.keyBounds * 4, coded.codes, coded.valueBounds * 4, coded.codes]
  for (let index = 0; index < filled; index++) sizes.push(...layer)
  if (isNode === true) sizes.push(tokens * hidden * 4, tokens * 4)
  return sizes
}

async function readObject(reader: HashedReader, length: number): Promise<Readonly<Record<string, unknown>>> {
  if (length > longestHeader) throw reader.error(`its header is longer than any: ${length} bytes, not up to ${longestHeader}`)
  reader.need(length)
  const text = new TextDecoder().decode(await reader.bytes(length))
  try {
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>
  } catch {
    // The error below says more than the parser's.
  }
  throw reader.error(`its header is not a JSON object: ${JSON.stringify(text.slice(0, 40))}`)
}

function checked(reader: HashedReader, header: Readonly<Record<string, unknown>>): CacheHeader {
  const { tokens, filled, form, hasLastHidden, scope = '', documentIds = [] } = header
  const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (!isCount(tokens) || tokens < 1) throw reader.error(`its number of tokens is not a whole number from 1: ${JSON.stringify(tokens)}`)
  if (!isCount(filled)) throw reader.error(`its number of filled layers is not a whole number: ${JSON.stringify(filled)}`)
  if (form !== 'float32' && form !== 'int8' && form !== 'int4') throw reader.error(`its form is not known: ${JSON.stringify(form)}`)
  if (header['isNode'] !== undefined && header['isNode'] !== true) throw reader.error('it does not say whether it is of a node')
  if (typeof hasLastHidden !== 'boolean') throw reader.error(`it does not say whether the last hidden row is known`)
  const isOrigin = typeof scope === 'string' && Array.isArray(documentIds) && documentIds.every((id) => typeof id === 'string')
  if (!isOrigin) throw reader.error(`what it was computed of is not named by texts: ${JSON.stringify({ scope, documentIds })}`)
  return header as unknown as CacheHeader
}
