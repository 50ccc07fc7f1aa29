/** What every level of a merge held, so that an answer can be unfolded from its root down to the words of the text. */
import type { CommunicationUnit, Quote } from '../agents/index.ts'

/** A span of a document, UTF-16 code units. */
export interface Span {
  readonly documentId: string
  readonly start: number
  readonly end: number
}

/** Something that a reader of the answer should know about a node. */
export interface TreeMark {
  /** `gap`: a part of the text could not be read. `conflict`: parts of the text contradict each other. */
  readonly kind: 'gap' | 'conflict'
  readonly text: string
  /** The part that was not read, or the quotations that contradict each other. */
  readonly spans: readonly Span[]
}

export interface TreeNode {
  /** Level and place, such as `0/12` for the thirteenth leaf. */
  readonly id: string
  /** 0 for leaves. */
  readonly level: number
  /** Ids of the nodes that were merged into this one; empty for a leaf. */
  readonly children: readonly string[]
  /** The chunk of a leaf. */
  readonly span?: Span
  readonly notes: string
  readonly quotes: readonly Quote[]
  readonly marks: readonly TreeMark[]
}

export interface AnswerTree {
  /** Id of the node that the answer was written from. */
  readonly root: string
  /** All nodes by level, leaves first. */
  readonly nodes: readonly TreeNode[]
}

/** Grows a tree level by level. */
export class TreeGrower {
  readonly #nodes: TreeNode[] = []
  readonly #sizes: number[] = []

  /** Adds a node and returns its id. Leaves have to come in the order of the text. */
  add(level: number, unit: CommunicationUnit, parts: Pick<TreeNode, 'children' | 'marks'> & { readonly span?: Span }): string {
    const place = this.#sizes[level] ?? 0
    this.#sizes[level] = place + 1
    const id = `${level}/${place}`
    this.#nodes.push({ id, level, notes: unit.notes, quotes: unit.quotes, ...parts })
    return id
  }

  /** Levels so far. */
  get height(): number {
    return this.#sizes.length
  }

  /** Nodes that no other has as a child yet. */
  orphans(): string[] {
    const known = new Set(this.#nodes.flatMap(({ children }) => children))
    return this.#nodes.filter(({ id }) => !known.has(id)).map(({ id }) => id)
  }

  /** The tree as it stands, under the node that was added last. */
  tree(): AnswerTree | undefined {
    const root = this.#nodes.at(-1)?.id
    return root === undefined ? undefined : { root, nodes: [...this.#nodes] }
  }
}
