import { LRUCache } from 'lru-cache'
import { type ByteTokenizer, type Constraint, ConstraintCompiler, type ConstraintSpec, type Decoder } from '../attention/index.ts'

/** Constraints of one decoder that stay compiled, with the masks that they have learnt. */
const mostKept = 32

/** Compiles constraints, and keeps those of schemas, expressions and choices by their text. */
export class CompiledConstraints {
  readonly #byDecoder: WeakMap<Decoder, { readonly compiler: ConstraintCompiler; readonly known: LRUCache<string, Constraint> }> =
    new WeakMap()

  /**
   * @throws TypeError for what cannot be enforced
   */
  get(decoder: Decoder, spec: ConstraintSpec): Constraint {
    const { compiler, known } = this.#of(decoder)
    // The sources of copies are long, rarely come again, and are quick to compile.
    if ('verbatim' in spec) return compiler.compile(spec)
    const key = JSON.stringify(spec)
    const constraint = known.get(key) ?? compiler.compile(spec)
    known.set(key, constraint)
    return constraint
  }

  #of(decoder: Decoder): { readonly compiler: ConstraintCompiler; readonly known: LRUCache<string, Constraint> } {
    const made = this.#byDecoder.get(decoder) ?? {
      compiler: new ConstraintCompiler(byteTokenizer(decoder)),
      known: new LRUCache<string, Constraint>({ max: mostKept }),
    }
    this.#byDecoder.set(decoder, made)
    return made
  }
}

function byteTokenizer({ tokenizer, config }: Decoder): ByteTokenizer {
  if ('bytes' in tokenizer) return tokenizer as ByteTokenizer
  throw new TypeError(`Cannot constrain the output as the model's tokens are not known as bytes: ${config.name}`)
}
