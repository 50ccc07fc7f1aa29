/**
 * The file of a cache. Little endian throughout: 8 bytes `SCRCACHE`; uint32 version; uint32 length of the header; the header, JSON in UTF-8; then
 * parts that begin at multiples of 64 bytes: position ids, source indices and tokens, int32 [tokens] each, a token as twice its id, and one more
 * where it ran in the arithmetic of long reads, or -1 where it is not known; the last hidden row, float32 [hidden],
 * where it is known; for each filled layer keys and then values, float32 [tokens, kvHeads headDim], or bounds and codes of both (see
 * `quantiseCache`); where it is of a node of a merge, hidden rows, float32 [tokens, hidden], and scores, float32 [tokens]; at last the SHA-256 of
 * all bytes before it.
 */
import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { type CacheRows, dequantiseRows, type KVCache, type NodeState, quantiseRows, quantisedSizes } from '../attention/index.ts'
import { errorCode, ModelFileError } from '../errors/index.ts'
import { type CacheHeader, checkIdentity, headerBytes, readHeader, type StoredForm } from './cache-header.ts'
import { openFileSource } from './file-source.ts'
import { HashedReader, littleEndian, paddingAt } from './hashed-reader.ts'
import type { CacheIdentity, CacheOrigin, CallContext } from './local-protocol.ts'

/** What a node of a merge has beside its cache, [tokens, hidden] and [tokens]. */
export type NodeRows = Pick<NodeState, 'hidden' | 'scores'>

export interface WrittenCache {
  readonly cache: KVCache
  /** Present where it is what a node of a merge came to, of which only the layers that ran are filled. */
  readonly node?: NodeRows
}

/**
 * Writes a cache to `temporary` and renames that to `path`, so that there is never half a file at `path`.
 *
 * @returns the SHA-256 that the file ends with, hexadecimal
 * @throws ModelFileError when the file cannot be written
 */
export async function writeCacheFile(
  path: string,
  temporary: string,
  written: WrittenCache,
  identity: CacheIdentity & CacheOrigin,
  form: StoredForm = 'float32',
): Promise<string> {
  try {
    const hash = await writeParts(temporary, partsOf(written, identity, form))
    await rename(temporary, path)
    return hash
  } catch (cause) {
    await rm(temporary, { force: true })
    const code = cause instanceof Error ? errorCode(cause) : ''
    if (code === '') throw cause
    const message = `Cannot save a cache as its file cannot be written (${code}): ${path}. Check the folder, its permissions and its space`
    throw new ModelFileError(message, { file: path, cause })
  }
}

/** What the header of a cache file says, without reading the rest. @throws ModelFileError when there is none */
export async function readCacheHeader(path: string): Promise<CacheHeader> {
  await using source = await openFileSource(path, 'cache')
  return await readHeader(new HashedReader(source))
}

export interface ReadCache extends WrittenCache {
  readonly header: CacheHeader
  /** The SHA-256 that the file ends with, hexadecimal. */
  readonly sha256: string
}

/**
 * Reads a cache that `writeCacheFile` wrote into the one that `create` gives, which is not called for a file that does not belong to the model.
 *
 * @param identityOf what the file has to be of, given its header
 * @throws ModelFileError when the file is missing, of another model, weight form, rotary embedding, policy or version, cut short or damaged
 */
export async function readCacheFile(
  path: string,
  identityOf: (header: CacheHeader) => CacheIdentity,
  create: () => Promise<KVCache>,
  { signal, progress, giveWay }: Pick<CallContext, 'signal' | 'progress' | 'giveWay'>,
): Promise<ReadCache> {
  await using source = await openFileSource(path, 'cache')
  const reader = new HashedReader(source)
  const header = await readHeader(reader)
  checkIdentity(reader, header, identityOf(header))
  const { tokens, filled, hasLastHidden, isNode, hidden } = header
  const [positions, sources, tokenCodes] = [await reader.integers(tokens), await reader.integers(tokens), await reader.integers(tokens)]
  const lastHidden = hasLastHidden ? await reader.floats(hidden) : undefined
  const cache = await create()
  try {
    for (let layer = 0; layer < filled; layer++) {
      signal.throwIfAborted()
      cache.importRows(layer, await readRows(reader, header), positions, sources)
      progress((layer + 1) / filled)
      await giveWay()
    }
    const node = isNode === true ? { hidden: await reader.floats(tokens * hidden), scores: await reader.floats(tokens) } : undefined
    const sha256 = await reader.checkHash()
    // What was rounded is not what the tokens come to: it must not pass for that.
    if (header.form === 'float32') setTokens(cache, tokenCodes)
    cache.lastHidden = lastHidden
    return { cache, header, sha256, ...(node && { node }) }
  } catch (error) {
    cache.dispose()
    throw error
  }
}

async function readRows(reader: HashedReader, { form, tokens, layers, kvHeads, headDim }: CacheHeader): Promise<CacheRows> {
  const size = tokens * kvHeads * headDim
  if (form === 'float32') return { keys: await reader.floats(size), values: await reader.floats(size) }
  const shape = { layers, kvHeads, headDim }
  const { codes, keyBounds, valueBounds } = quantisedSizes(tokens, shape, form)
  const keys = { bounds: await reader.floats(keyBounds), codes: await reader.part(codes) }
  const values = { bounds: await reader.floats(valueBounds), codes: await reader.part(codes) }
  return dequantiseRows({ keys, values }, tokens, shape, form)
}

function codesOf({ ids, longReads }: KVCache): Int32Array {
  return ids.map((id, index) => (id < 0 ? -1 : 2 * id + (longReads[index] ?? 0)))
}

function setTokens(cache: KVCache, codes: Int32Array): void {
  for (const [index, code] of codes.entries()) if (code >= 0) cache.setIds(index, [code >> 1], code % 2 === 1)
}

function* partsOf(
  { cache, node }: WrittenCache,
  identity: CacheIdentity & CacheOrigin,
  form: StoredForm,
): Generator<Uint8Array, undefined> {
  const { lastHidden, length } = cache
  const { layers, kvHeads, headDim } = identity
  let filled = 0
  while (filled < layers && cache.layerLength(filled) === length) filled++
  yield headerBytes({ ...identity, form, tokens: length, filled, hasLastHidden: lastHidden !== undefined, ...(node && { isNode: true }) })
  yield* aligned(littleEndian(cache.positions))
  yield* aligned(littleEndian(cache.sources))
  yield* aligned(littleEndian(codesOf(cache)))
  if (lastHidden !== undefined) yield* aligned(littleEndian(lastHidden))
  for (let layer = 0; layer < filled; layer++) {
    const rows = cache.exportRows(layer)
    if (form === 'float32') {
      yield* aligned(littleEndian(rows.keys))
      yield* aligned(littleEndian(rows.values))
      continue
    }
    const { keys, values } = quantiseRows(rows, { layers, kvHeads, headDim }, form)
    for (const { bounds, codes } of [keys, values]) {
      yield* aligned(littleEndian(bounds))
      yield* aligned(codes)
    }
  }
  if (node === undefined) return
  yield* aligned(littleEndian(node.hidden))
  yield* aligned(littleEndian(node.scores))
}

/** A part, and zeros up to the place where the next one begins. */
function* aligned(bytes: Uint8Array): Generator<Uint8Array, undefined> {
  yield bytes
  const padding = paddingAt(bytes.length)
  if (padding > 0) yield new Uint8Array(padding)
}

async function writeParts(path: string, parts: Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (const part of parts) {
      hash.update(part)
      await file.appendFile(part)
    }
    const digest = hash.digest()
    await file.appendFile(digest)
    await file.sync()
    return digest.toString('hex')
  } finally {
    await file.close()
  }
}
