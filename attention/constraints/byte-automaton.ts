/**
 * A pushdown automaton over bytes that is made deterministic while it runs. What is still to be written is a stack of frames; equal stacks
 * are one object, so that sets of them are told apart by their numbers, and the way from set to set by a byte is computed once.
 */
import { type GrammarNode, leastBytes } from './grammar.ts'

/** A node under way, and what comes after it. */
interface Frame {
  readonly id: number
  readonly node: GrammarNode
  /** How far: bytes, items or repetitions done, or the state of a table. */
  readonly at: number
  readonly next: Frame | undefined
  /** Fewest bytes to the end of everything. */
  readonly cost: number
}

/** All that may be under way after some bytes. */
export interface AutomatonState {
  /** Fewest bytes to an end; 0 where the text may end. */
  readonly cost: number
  readonly leaves: readonly Frame[]
  readonly steps: (AutomatonState | null | undefined)[]
}

/** What is found while everything that may begin or go on is looked at. */
interface Closure {
  readonly leaves: Map<number, Frame>
  /** Calls already entered: a rule may call itself first. */
  readonly called: Set<string>
  ended: boolean
}

/** Sets that are kept. Beyond it all are forgotten; those in use go on by themselves. */
const mostStates = 8192

export class ByteAutomaton {
  readonly start: AutomatonState
  readonly #usable: Uint8Array
  readonly #costs: ReadonlyMap<GrammarNode, number>
  readonly #numbers: Map<GrammarNode, number>
  readonly #root: GrammarNode
  #frames: Map<string, Frame> = new Map()
  #states: Map<string, AutomatonState> = new Map()
  #lastFrame = 0

  /** `usable` says which bytes can be written. */
  constructor(root: GrammarNode, usable: Uint8Array) {
    this.#usable = usable
    this.#costs = leastBytes(root, usable)
    this.#numbers = new Map([...this.#costs.keys()].map((node, index) => [node, index]))
    this.#root = root
    this.start = this.#begin()
  }

  /** The state after `byte`; null: none. */
  step(state: AutomatonState, byte: number): AutomatonState | null {
    const known = state.steps[byte]
    if (known !== undefined) return known
    const next = this.#step(state, byte)
    state.steps[byte] = next
    return next
  }

  /** The state after `bytes`; null: none. */
  run(state: AutomatonState, bytes: Uint8Array): AutomatonState | null {
    let current: AutomatonState | null = state
    for (let at = 0; at < bytes.length && current !== null; at++) current = this.step(current, bytes[at] ?? 0)
    return current
  }

  /** A shortest text to an end. */
  completion(state: AutomatonState): Uint8Array {
    const bytes: number[] = []
    for (let current: AutomatonState | null = state; current !== null && current.cost > 0;) {
      const byte = cheapestByte(current, this.#usable)
      bytes.push(byte)
      current = this.step(current, byte)
    }
    return Uint8Array.from(bytes)
  }

  #begin(): AutomatonState {
    const closure = emptyClosure()
    this.#enter(this.#root, undefined, closure)
    return this.#state(closure)
  }

  #step(state: AutomatonState, byte: number): AutomatonState | null {
    const closure = emptyClosure()
    for (const { node, at, next } of state.leaves) {
      if (node.kind === 'bytes' && node.bytes[at] === byte) this.#expand(node, at + 1, next, closure)
      else if (node.kind === 'table') {
        const to = node.table.next[at * 256 + byte] ?? -1
        if (to >= 0) this.#expand(node, to, next, closure)
      }
    }
    return closure.leaves.size === 0 && !closure.ended ? null : this.#state(closure)
  }

  #state({ leaves, ended }: Closure): AutomatonState {
    const key = `${ended} ${[...leaves.keys()].sort((a, b) => a - b).join(' ')}`
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.#states.size >= mostStates) this.#forget()
    const frames = [...leaves.values()]
    const cost = ended ? 0 : frames.reduce((least, frame) => Math.min(least, frame.cost), Infinity)
    const state = { cost, leaves: frames, steps: [] }
    this.#states.set(key, state)
    return state
  }

  #forget(): void {
    this.#states = new Map()
    this.#frames = new Map()
    this.start.steps.length = 0
  }

  /** Adds the frames that read the next byte when `node` begins and `next` follows it. */
  #enter(node: GrammarNode, next: Frame | undefined, closure: Closure): void {
    if ((this.#costs.get(node) ?? Infinity) === Infinity) return
    this.#expand(node, 0, next, closure)
  }

  #leave(next: Frame | undefined, closure: Closure): void {
    if (next === undefined) closure.ended = true
    else this.#expand(next.node, next.at, next.next, closure)
  }

  #expand(node: GrammarNode, at: number, next: Frame | undefined, closure: Closure): void {
    switch (node.kind) {
      case 'bytes':
        if (at === node.bytes.length) return this.#leave(next, closure)
        return this.#addLeaf(node, at, next, closure)
      case 'table':
        if (node.table.costs[at] === 0) this.#leave(next, closure)
        return this.#addLeaf(node, at, next, closure)
      case 'sequence': {
        const item = node.items[at]
        if (item === undefined) return this.#leave(next, closure)
        const isLast = at + 1 === node.items.length
        return this.#enter(item, isLast ? next : this.#frame(node, at + 1, next), closure)
      }
      case 'choice':
        for (const option of node.options) this.#enter(option, next, closure)
        return
      case 'repeat': {
        if (at >= node.min) this.#leave(next, closure)
        // Without a last one, it does not matter how many there were beyond the first `min`.
        const done = node.max === Infinity ? Math.min(at + 1, node.min) : at + 1
        if (at < node.max) this.#enter(node.item, this.#frame(node, done, next), closure)
        return
      }
      case 'reference': {
        const call = `${this.#numbers.get(node)} ${next?.id}`
        if (closure.called.has(call)) return
        closure.called.add(call)
        return this.#enter(node.target, next, closure)
      }
    }
  }

  #addLeaf(node: GrammarNode, at: number, next: Frame | undefined, { leaves }: Closure): void {
    const frame = this.#frame(node, at, next)
    if (frame.cost < Infinity) leaves.set(frame.id, frame)
  }

  #frame(node: GrammarNode, at: number, next: Frame | undefined): Frame {
    const key = `${this.#numbers.get(node)} ${at} ${next?.id}`
    const known = this.#frames.get(key)
    if (known !== undefined) return known
    const frame = { id: ++this.#lastFrame, node, at, next, cost: this.#left(node, at) + (next?.cost ?? 0) }
    this.#frames.set(key, frame)
    return frame
  }

  /** Fewest bytes from `at` to the end of the node. */
  #left(node: GrammarNode, at: number): number {
    const costOf = (part: GrammarNode): number => this.#costs.get(part) ?? Infinity
    switch (node.kind) {
      case 'bytes':
        return node.bytes.length - at
      case 'table':
        return node.table.costs[at] ?? Infinity
      case 'sequence':
        return node.items.slice(at).reduce((sum, item) => sum + costOf(item), 0)
      case 'repeat':
        return at >= node.min ? 0 : (node.min - at) * costOf(node.item)
      default:
        return costOf(node)
    }
  }
}

function emptyClosure(): Closure {
  return { leaves: new Map(), called: new Set(), ended: false }
}

/** The first byte of a shortest way on. */
function cheapestByte({ leaves, cost }: AutomatonState, usable: Uint8Array): number {
  for (const { node, at, cost: left } of leaves) {
    if (left !== cost) continue
    if (node.kind === 'bytes') return node.bytes[at] ?? 0
    if (node.kind !== 'table') continue
    const here = node.table.costs[at] ?? Infinity
    for (let byte = 0; byte < 256; byte++) {
      const to = node.table.next[at * 256 + byte] ?? -1
      if (usable[byte] === 1 && to >= 0 && node.table.costs[to] === here - 1) return byte
    }
  }
  throw new Error(`Cannot complete a text as no byte brings it nearer to an end: ${cost} bytes`)
}
