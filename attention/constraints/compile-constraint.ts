/** Constraints from plain data. */
import type { ByteTokenizer } from '../byte-tokenizer.ts'
import { ByteAutomaton } from './byte-automaton.ts'
import { ByteConstraint } from './byte-constraint.ts'
import { byteTable, type ByteTable, type TableState } from './byte-table.ts'
import { spelledTable } from './character-automaton.ts'
import type { Constraint } from './constraint.ts'
import { type GrammarNode, tableNode } from './grammar.ts'
import { JsonGrammar } from './json-grammar.ts'
import type { Schema } from './json-schema.ts'
import { jsonSchemaGrammar } from './json-schema-grammar.ts'
import { compilePattern } from './regex-program.ts'
import { textStates } from './text-automaton.ts'
import { createTokenTrie, type TokenTrie } from './token-trie.ts'
import { type TokenSource, VerbatimConstraint } from './verbatim-automaton.ts'

/** What an output has to be. */
export type ConstraintSpec =
  /** A JSON text that is valid by a JSON Schema (draft 2020-12). */
  | { readonly json: Schema }
  /** A text that a JavaScript regular expression matches as a whole; `flags` may hold i, s and u. */
  | { readonly regex: string; readonly flags?: string }
  /** One of some texts. */
  | { readonly choices: readonly string[] }
  /** A part of one of some token sequences. */
  | { readonly verbatim: readonly TokenSource[] }

/** Makes constraints for one vocabulary, whose bytes are laid out at the first use. */
export class ConstraintCompiler {
  readonly #tokenizer: ByteTokenizer
  #bytes: { readonly trie: TokenTrie; readonly json: JsonGrammar } | undefined

  constructor(tokenizer: ByteTokenizer) {
    this.#tokenizer = tokenizer
  }

  /** @throws TypeError for what cannot be enforced; RangeError when no output is possible */
  compile(spec: ConstraintSpec): Constraint {
    if ('verbatim' in spec) return new VerbatimConstraint(spec.verbatim, this.#tokenizer.vocabulary)
    const { trie, json } = (this.#bytes ??= bytesOf(this.#tokenizer))
    return new ByteConstraint(new ByteAutomaton(grammarOf(spec, json, trie.usable), trie.usable), trie)
  }
}

function bytesOf(tokenizer: ByteTokenizer): { readonly trie: TokenTrie; readonly json: JsonGrammar } {
  const trie = createTokenTrie(tokenizer)
  return { trie, json: new JsonGrammar(trie.usable) }
}

function grammarOf(spec: Exclude<ConstraintSpec, { verbatim: unknown }>, json: JsonGrammar, usable: Uint8Array): GrammarNode {
  if ('json' in spec) return jsonSchemaGrammar(spec.json, json)
  if ('choices' in spec) return tableNode(choiceTable(spec.choices, usable))
  const program = compilePattern(`^(?:${spec.regex})$`, spec.flags)
  return tableNode(spelledTable(textStates({ patterns: [program] }), 'plain', usable))
}

/** The texts as a tree of bytes. */
function choiceTable(choices: readonly string[], usable: Uint8Array): ByteTable {
  const states: { accepts: boolean; readonly edges: Map<number, number> }[] = [{ accepts: false, edges: new Map() }]
  for (const text of choices) {
    let at = 0
    for (const byte of new TextEncoder().encode(text)) {
      const to = states[at]!.edges.get(byte) ?? states.push({ accepts: false, edges: new Map() }) - 1
      states[at]!.edges.set(byte, to)
      at = to
    }
    states[at]!.accepts = true
  }
  return byteTable(states satisfies TableState[], usable)
}
