import { KeySample } from './key-sample.ts'
import type { RecordTraits } from './record-filter.ts'

/** What a search must know of a record before it reads it. */
export interface ViewedRecord extends RecordTraits {
  readonly key: number
  /** Number of the change that gave it its vector; undefined without one. */
  readonly vector: number | undefined
}

/**
 * What filters look at of every record of a scope, in memory. It is brought up to date by what changed, so that a write costs no more in a
 * large scope than in a small one.
 */
export class ScopeView {
  /** Number of the last change that it has seen, and the epoch of those numbers. */
  seen = 0
  readonly epoch: number
  /** Grows with every vector that goes. */
  removals: number
  readonly withVector: Set<number> = new Set()
  /** Some of the keys with vectors. */
  readonly sample: KeySample = new KeySample()
  readonly #records = new Map<number, ViewedRecord>()
  readonly #byDocument = new Map<string, Set<number>>()

  /** @param removals where its count begins: above that of an earlier view of the scope, which may have missed some */
  constructor(epoch: number, removals: number) {
    this.epoch = epoch
    this.removals = removals
  }

  get size(): number {
    return this.#records.size
  }

  get(key: number): ViewedRecord | undefined {
    return this.#records.get(key)
  }

  set(record: ViewedRecord): void {
    const old = this.#records.get(record.key)
    if (old && old.documentId !== record.documentId) this.#leaveDocument(old)
    this.#records.set(record.key, record)
    const document = this.#byDocument.get(record.documentId)
    if (document) document.add(record.key)
    else this.#byDocument.set(record.documentId, new Set([record.key]))
    if (record.vector === undefined) this.#loseVector(record.key)
    else this.#gainVector(record.key)
  }

  delete(key: number): void {
    const record = this.#records.get(key)
    if (!record) return
    this.#leaveDocument(record)
    this.#loseVector(key)
    this.#records.delete(key)
  }

  /** Keys with vectors that may be meant: those of the documents that are asked for, or all. */
  pool(documentIds: readonly string[] | undefined): readonly ReadonlySet<number>[] {
    if (!documentIds) return [this.withVector]
    return Array.from(new Set(documentIds), (id) => this.#byDocument.get(id)).filter((keys) => keys !== undefined)
  }

  #leaveDocument({ key, documentId }: ViewedRecord): void {
    const keys = this.#byDocument.get(documentId)
    keys?.delete(key)
    if (keys?.size === 0) this.#byDocument.delete(documentId)
  }

  #gainVector(key: number): void {
    this.withVector.add(key)
    this.sample.add(key)
  }

  #loseVector(key: number): void {
    if (this.withVector.delete(key)) this.removals++
    this.sample.delete(key)
  }
}
