import { type Fact, factKey, factOf, normaliseFactText } from './fact-record.ts'
import type { MemoryRecord } from './memory-record.ts'
import { isSameFact, SAME_FACT_SIMILARITY } from './same-fact.ts'
import { cosineSimilarity } from './vectors.ts'

/** Facts by what they are about and by their text, so that only vectors need a look at all of them. */
export class FactIndex {
  readonly #records = new Map<string, MemoryRecord>()
  readonly #byKey = new Map<string, Set<string>>()
  readonly #byText = new Map<string, Set<string>>()
  readonly #threshold: number

  /** @param threshold cosine similarity from which two say the same; see `isSameFact` */
  constructor(threshold: number = SAME_FACT_SIMILARITY) {
    this.#threshold = threshold
  }

  /** Takes in a record, or what it has become: its words and what it is about stay. */
  set(record: MemoryRecord): void {
    const isNew = !this.#records.has(record.id)
    this.#records.set(record.id, record)
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
    for (const known of this.#records.values()) {
      if (!known.vector || cosineSimilarity(known.vector, vector) < this.#threshold) continue
      if (accept(known) && isSameFact(known, record, this.#threshold)) return known
    }
    return undefined
  }

  #named(index: ReadonlyMap<string, ReadonlySet<string>>, name: string): MemoryRecord[] {
    return Array.from(index.get(name) ?? [], (id) => this.#records.get(id)).filter((record) => record !== undefined)
  }
}

function add(index: Map<string, Set<string>>, name: string, id: string): void {
  index.set(name, (index.get(name) ?? new Set()).add(id))
}
