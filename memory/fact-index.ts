import { type Fact, factKey, factOf, normaliseFactText } from './fact-record.ts'
import type { MemoryRecord } from './memory-record.ts'
import { isSameFact, marksOf, SAME_FACT_SIMILARITY } from './same-fact.ts'
import { cosineSimilarity, vectorNorm } from './vectors.ts'

/** A vector with its length. */
interface MeasuredVector {
  readonly vector: Float32Array
  readonly norm: number
}

/** Facts by what they are about, by their text, and by what must be equal in facts that are near in meaning: only those of one kind are compared by vectors. */
export class FactIndex {
  readonly #records = new Map<string, MemoryRecord>()
  readonly #byKey = new Map<string, Set<string>>()
  readonly #byText = new Map<string, Set<string>>()
  readonly #byMarks = new Map<string, Map<string, MeasuredVector>>()
  readonly #threshold: number

  /** @param threshold cosine similarity from which two say the same; see `isSameFact` */
  constructor(threshold: number = SAME_FACT_SIMILARITY) {
    this.#threshold = threshold
  }

  /** Takes in a record, or what it has become: its words and what it is about stay. */
  set(record: MemoryRecord): void {
    const isNew = !this.#records.has(record.id)
    this.#records.set(record.id, record)
    this.#setVector(record)
    if (!isNew) return
    const fact = factOf(record)
    if (fact) add(this.#byKey, factKey(fact), record.id)
    add(this.#byText, normaliseFactText(record.text), record.id)
  }

  get(id: string): MemoryRecord | undefined {
    return this.#records.get(id)
  }

  /** Records about the same: of equal subject, attribute and topic. */
  about(fact: Fact): MemoryRecord[] {
    return this.#named(this.#byKey, factKey(fact))
  }

  /** A record that says the same, by words if there is one, else by vectors. */
  findSame(record: MemoryRecord, accept: (known: MemoryRecord) => boolean = () => true): MemoryRecord | undefined {
    const fact = factOf(record)
    const near = [...(fact ? this.about(fact) : []), ...this.#named(this.#byText, normaliseFactText(record.text))]
    return near.find((known) => accept(known) && isSameFact(known, record, this.#threshold)) ?? this.#findNear(record, accept)
  }

  #findNear(record: MemoryRecord, accept: (known: MemoryRecord) => boolean): MemoryRecord | undefined {
    const { vector } = record
    if (!vector) return undefined
    const norm = vectorNorm(vector)
    for (const [id, near] of this.#byMarks.get(marksOf(record.text)) ?? []) {
      if (cosineSimilarity(near.vector, vector, near.norm, norm) < this.#threshold) continue
      const known = this.#records.get(id)
      if (known && accept(known) && isSameFact(known, record, this.#threshold)) return known
    }
    return undefined
  }

  #setVector({ id, text, vector }: MemoryRecord): void {
    const marks = marksOf(text)
    const near = this.#byMarks.get(marks) ?? new Map<string, MeasuredVector>()
    this.#byMarks.set(marks, near)
    if (vector) near.set(id, { vector, norm: vectorNorm(vector) })
    else near.delete(id)
  }

  #named(index: ReadonlyMap<string, ReadonlySet<string>>, name: string): MemoryRecord[] {
    return Array.from(index.get(name) ?? [], (id) => this.#records.get(id)).filter((record) => record !== undefined)
  }
}

function add(index: Map<string, Set<string>>, name: string, id: string): void {
  index.set(name, (index.get(name) ?? new Set()).add(id))
}
