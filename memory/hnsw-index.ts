import type { HierarchicalNSW } from 'hnswlib-node'
import { loadOptional } from '../errors/index.ts'
import type { Logger } from '../log/index.ts'
import { checkHnswFile, deleteHnswFile, type HnswDescription, saveHnswFile } from './hnsw-file.ts'

type Awaitable<T> = T | Promise<T>

/** A vector as it stands after a change. */
export interface ChangedVector {
  /** The record's number. */
  readonly key: number
  /** Number of the change that gave the record this vector. Changes become visible in the order of their numbers. */
  readonly change: number
  readonly vector: Float32Array
}

/** What the index is derived from. */
export interface HnswSource {
  describe(): Awaitable<Omit<HnswDescription, 'last'>>
  /** Up to `limit` vectors whose change is above `last`, in order of change. */
  after(last: number, limit: number): Awaitable<readonly ChangedVector[]>
  /** Numbers of every record with a vector. */
  keys(): Awaitable<ReadonlySet<number>>
  /** How many vectors have gone so far. All keys are compared when it differs; at every catching up where it is missing. */
  removals?(): Awaitable<number>
}

/** Which records a search may find. */
export interface AllowedKeys {
  has(key: number): boolean
  /** How many there are, where that is known. */
  readonly size?: number
}

/** An approximate nearest-neighbour index (Malkov and Yashunin, "Hierarchical Navigable Small World graphs", 2016) over a store or a scope of it. */
export interface HnswIndex {
  /**
   * Keys of about the `limit` nearest records among `allowed`, best first. Loads or builds the index first and adds what it lacks.
   *
   * @param stamp changes when the database does
   */
  nearest(query: Float32Array, limit: number, allowed: AllowedKeys, stamp: string, signal?: AbortSignal): Promise<number[]>
  /** Forgets the index and deletes its files, so that no deleted vector stays behind. */
  discard(): void
  /** Deletes its files alone: the index in memory overwrites deleted vectors before it is saved again. */
  discardFiles(): void
  /** Saves what is new. A failure costs a rebuild, so it is logged and not thrown. */
  save(): Promise<void>
}

/** Links a node, and candidates held while a node is linked. */
const links = 16
const buildCandidates = 200
const pageSize = 256
/** Points that a running index may lack in its file. */
const leastUnsaved = 5_000
/** Deleted points beyond as many as live ones: they only lead the way to others, and are left behind by building anew. */
const mostForgotten = 1_000

interface Loaded {
  readonly index: HierarchicalNSW
  readonly live: Set<number>
  last: number
  stamp: string
  /** Removals that it has taken over. */
  removals: number | undefined
}

/** @param path of the index file; undefined keeps the index in memory alone */
export function createHnswIndex(path: string | undefined, source: HnswSource, logger: Logger): HnswIndex {
  let loaded: Loaded | undefined
  /** Points that the file lacks or has too many. */
  let unsaved = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function load(): Promise<Loaded> {
    const { default: hnsw } = await loadOptional('hnswlib-node', 'search a large memory store by vector', () => import('hnswlib-node'))
    const description = await source.describe()
    const index = new hnsw.HierarchicalNSW('cosine', description.dimensions)
    const known = path === undefined ? undefined : await checkHnswFile(path, description)
    if (path === undefined || !known) {
      index.initIndex(Math.max(1024, 2 * (await source.keys()).size), links, buildCandidates)
      return { index, live: new Set(), last: 0, stamp: '', removals: undefined }
    }
    index.readIndexSync(path)
    return { index, live: new Set(index.getIdsList()), last: known.last, stamp: '', removals: undefined }
  }

  /** Brings the index level with the table, a page at a time, so that others get their turn. */
  async function catchUp(stamp: string, signal: AbortSignal | undefined): Promise<Loaded> {
    const current = (loaded ??= await load())
    if (current.stamp === stamp) return current
    const next = (): Awaitable<readonly ChangedVector[]> => source.after(current.last, pageSize)
    for (let page = await next(); page.length > 0; page = await next()) {
      for (const changed of page) addPoint(current, changed)
      unsaved += page.length
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    }
    await forgetDeleted(current)
    if (current.index.getCurrentCount() > 2 * current.live.size + mostForgotten) {
      discard()
      return catchUp(stamp, signal)
    }
    current.stamp = stamp
    // So that a crash costs little of a long build.
    if (unsaved > Math.max(leastUnsaved, current.live.size / 4)) await write(current)
    return current
  }

  async function forgetDeleted(current: Loaded): Promise<void> {
    const removals = await source.removals?.()
    if (removals !== undefined && removals === current.removals) return
    const keys = await source.keys()
    current.removals = removals
    for (const key of current.live) {
      if (keys.has(key)) continue
      forget(current, key)
      unsaved++
    }
  }

  async function nearest(query: Float32Array, limit: number, allowed: AllowedKeys, stamp: string, signal?: AbortSignal): Promise<number[]> {
    const before = turn
    const mine = before.then(() => catchUp(stamp, signal))
    turn = mine.catch(() => undefined)
    const { index, live } = await mine
    const { size = live.size } = allowed
    const most = Math.min(limit, size, live.size)
    if (most === 0) return []
    index.setEf(Math.max(200, 2 * most))
    // An exception in a filter ends the process: this one only looks up.
    const filter = allowed.size === undefined || size < live.size ? (label: number) => allowed.has(label) : undefined
    return index.searchKnn(Array.from(query), most, filter).neighbors
  }

  function discard(): void {
    loaded = undefined
    discardFiles()
    unsaved = 0
  }

  function discardFiles(): void {
    if (path !== undefined) deleteHnswFile(path)
    unsaved = loaded?.live.size ?? 0
  }

  async function save(): Promise<void> {
    await turn
    if (!loaded) return
    await forgetDeleted(loaded)
    if (unsaved > 0) await write(loaded)
  }

  async function write({ index, last }: Loaded): Promise<void> {
    if (path === undefined) return
    try {
      await saveHnswFile(path, index, { ...(await source.describe()), last })
      unsaved = 0
    } catch (error) {
      logger.warn({ error, path }, 'The vector index was not saved and will be built anew')
    }
  }

  return { nearest, discard, discardFiles, save }
}

function addPoint(current: Loaded, { key, change, vector }: ChangedVector): void {
  const { index, live } = current
  if (index.getCurrentCount() >= index.getMaxElements()) index.resizeIndex(2 * index.getMaxElements())
  index.addPoint(Array.from(vector), key)
  live.add(key)
  current.last = change
}

/** The vector is overwritten, as a mark alone would leave it in the file. The point stays in the graph as a way to others. */
function forget({ index, live }: Loaded, key: number): void {
  live.delete(key)
  index.addPoint(
    Array.from({ length: index.getNumDimensions() }, () => 0),
    key,
  )
  index.markDelete(key)
}
