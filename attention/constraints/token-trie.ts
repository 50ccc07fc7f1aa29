/** The bytes of a vocabulary as a tree, laid out so that one pass over flat arrays visits what has a common beginning together. */
import type { ByteTokenizer } from '../byte-tokenizer.ts'

/** Nodes in the order of a depth-first walk; each is the byte that leads to it. */
export interface TokenTrie {
  readonly vocabulary: number
  readonly bytes: Uint8Array
  /** Length of the string that ends at each node, from 1. */
  readonly depths: Uint16Array
  /** Index of the first node after each node's descendants. */
  readonly skips: Int32Array
  /** The first token whose bytes end at each node; -1: none. */
  readonly tokens: Int32Array
  /** The next token of the same bytes, by token; -1: none. */
  readonly same: Int32Array
  readonly longest: number
  /** The bytes that are tokens by themselves. */
  readonly usable: Uint8Array
  /** Bytes of a token; undefined for special tokens, which no text holds. */
  bytesOf(id: number): Uint8Array | undefined
}

/** Builds the tree of all tokens that are text. */
export function createTokenTrie(tokenizer: ByteTokenizer): TokenTrie {
  const { vocabulary } = tokenizer
  const texts: (Uint8Array | undefined)[] = Array.from({ length: vocabulary }, (_, id) => textBytes(tokenizer, id))
  const ids = [...texts.keys()].filter((id) => texts[id] !== undefined)
  ids.sort((a, b) => compareBytes(texts[a]!, texts[b]!) || a - b)
  const nodes: { readonly byte: number; readonly depth: number; token: number }[] = []
  const same = new Int32Array(vocabulary).fill(-1)
  let before: Uint8Array = new Uint8Array()
  let lastId = -1
  for (const id of ids) {
    const bytes = texts[id]!
    const shared = commonLength(before, bytes)
    if (shared === bytes.length && shared === before.length) same[lastId] = id
    else {
      for (let at = shared; at < bytes.length; at++)
        nodes.push({ byte: bytes[at] ?? 0, depth: at + 1, token: at + 1 === bytes.length ? id : -1 })
    }
    before = bytes
    lastId = id
  }
  const usable = new Uint8Array(256)
  for (const id of ids) if (texts[id]!.length === 1) usable[texts[id]![0] ?? 0] = 1
  return {
    vocabulary,
    bytes: Uint8Array.from(nodes, ({ byte }) => byte),
    depths: Uint16Array.from(nodes, ({ depth }) => depth),
    skips: skipsOf(nodes),
    tokens: Int32Array.from(nodes, ({ token }) => token),
    same,
    longest: nodes.reduce((most, { depth }) => Math.max(most, depth), 0),
    usable,
    bytesOf: (id) => texts[id],
  }
}

/** Twice, as some tokenizers leave the space at a text's beginning out. */
function textBytes(tokenizer: ByteTokenizer, id: number): Uint8Array | undefined {
  const bytes = tokenizer.bytes(id)
  return bytes.length === 0 || bytes.length > 0xffff || tokenizer.decode([id, id]) === '' ? undefined : bytes
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = commonLength(a, b)
  return shared === a.length || shared === b.length ? a.length - b.length : (a[shared] ?? 0) - (b[shared] ?? 0)
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at
}

function skipsOf(nodes: readonly { readonly depth: number }[]): Int32Array {
  const skips = new Int32Array(nodes.length)
  const open: number[] = []
  const close = (depth: number, end: number): void => {
    for (let last = open.at(-1); last !== undefined && (nodes[last]?.depth ?? 0) >= depth; last = open.at(-1)) skips[open.pop() ?? 0] = end
  }
  for (const [index, { depth }] of nodes.entries()) {
    close(depth, index)
    open.push(index)
  }
  close(0, nodes.length)
  return skips
}

/**
 * The fewest tokens that spell `text`.
 *
 * @throws RangeError when no tokens do
 */
export function fewestTokens(trie: TokenTrie, text: Uint8Array): number[] {
  const best = new Int32Array(text.length + 1).fill(0x7fffffff)
  const last = new Int32Array(text.length + 1).fill(-1)
  best[0] = 0
  for (let start = 0; start < text.length; start++) {
    const count = best[start] ?? 0
    if (count === 0x7fffffff) continue
    prefixesOf(trie, text, start, (id, end) => {
      if (count + 1 >= (best[end] ?? 0)) return
      best[end] = count + 1
      last[end] = id
    })
  }
  const ids: number[] = []
  for (let end = text.length; end > 0; end -= trie.bytesOf(ids.at(-1) ?? 0)?.length ?? end) {
    const id = last[end] ?? -1
    if (id < 0) throw new RangeError(`Cannot write a text as the vocabulary has no tokens for it: ${new TextDecoder().decode(text)}`)
    ids.push(id)
  }
  return ids.reverse()
}

/** Tells of each token that `text` goes on with at `start`. */
function prefixesOf(trie: TokenTrie, text: Uint8Array, start: number, onToken: (id: number, end: number) => void): void {
  let node = 0
  let end = trie.bytes.length
  for (let at = start; at < text.length; at++) {
    while (node < end && trie.bytes[node] !== text[at]) node = trie.skips[node] ?? end
    if (node >= end) return
    const token = trie.tokens[node] ?? -1
    if (token >= 0) onToken(token, at + 1)
    end = trie.skips[node] ?? end
    node++
  }
}
