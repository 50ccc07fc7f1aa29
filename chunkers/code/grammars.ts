import { createRequire } from 'node:module'
import type * as TreeSitter from 'web-tree-sitter'
import type { Language } from 'web-tree-sitter'
import { loadOptional } from '../../errors/index.ts'

/** How one language is parsed. */
interface Grammar {
  /** The part of the file's name after `tree-sitter-`. */
  readonly file: string
  /** Types of the nodes whose first lines tell a reader where a piece of their body stands. */
  readonly scopes: ReadonlySet<string>
}

const C_SCOPES = words('function_definition class_specifier struct_specifier union_specifier enum_specifier namespace_definition')
const JAVASCRIPT_SCOPES = words(
  'class class_declaration function_declaration function_expression generator_function generator_function_declaration arrow_function method_definition',
)
const TYPESCRIPT_SCOPES = words(
  [...JAVASCRIPT_SCOPES].join(' '),
  'abstract_class_declaration interface_declaration enum_declaration internal_module module',
)

/** The languages that are cut by their syntax tree, named as the loader of source code names them. */
const GRAMMARS: Readonly<Record<string, Grammar>> = {
  bash: { file: 'bash', scopes: words('function_definition') },
  // C is all but a part of C++, and the package has no grammar of its own for it.
  c: { file: 'cpp', scopes: C_SCOPES },
  'c#': {
    file: 'c-sharp',
    scopes: words(
      'namespace_declaration class_declaration struct_declaration interface_declaration enum_declaration record_declaration',
      'method_declaration constructor_declaration destructor_declaration property_declaration local_function_statement',
    ),
  },
  'c++': { file: 'cpp', scopes: C_SCOPES },
  css: { file: 'css', scopes: words('rule_set media_statement supports_statement keyframes_statement') },
  go: { file: 'go', scopes: words('function_declaration method_declaration func_literal type_declaration') },
  java: {
    file: 'java',
    scopes: words(
      'class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration',
      'method_declaration constructor_declaration compact_constructor_declaration',
    ),
  },
  javascript: { file: 'javascript', scopes: JAVASCRIPT_SCOPES },
  php: {
    file: 'php',
    scopes: words(
      'namespace_definition class_declaration interface_declaration trait_declaration enum_declaration function_definition method_declaration',
    ),
  },
  python: { file: 'python', scopes: words('class_definition function_definition') },
  ruby: { file: 'ruby', scopes: words('class module method singleton_class singleton_method') },
  rust: { file: 'rust', scopes: words('function_item impl_item trait_item mod_item struct_item enum_item union_item macro_definition') },
  tsx: { file: 'tsx', scopes: TYPESCRIPT_SCOPES },
  typescript: { file: 'typescript', scopes: TYPESCRIPT_SCOPES },
}

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.join(' ').split(' '))
}

/** Names of the languages that have a grammar. */
export const codeLanguages: readonly string[] = Object.keys(GRAMMARS)

export function grammarOf(language: string): Grammar | undefined {
  return Object.hasOwn(GRAMMARS, language) ? GRAMMARS[language] : undefined
}

const NEED = 'cut source code by its syntax tree'
const loaded = new Map<string, Promise<Language>>()

/**
 * Loads a grammar from the package `@vscode/tree-sitter-wasm`, once a process.
 *
 * @throws MissingPackageError when that package or `web-tree-sitter` is not installed
 */
export function loadGrammar(grammar: Grammar): Promise<Language> {
  const known = loaded.get(grammar.file)
  if (known) return known
  const loading = load(grammar.file)
  loaded.set(grammar.file, loading)
  // A failure is not kept: the package may be there the next time.
  loading.catch(() => loaded.delete(grammar.file))
  return loading
}

async function load(file: string): Promise<Language> {
  const { Language } = await treeSitter()
  return loadOptional('@vscode/tree-sitter-wasm', NEED, () =>
    Language.load(createRequire(import.meta.url).resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${file}.wasm`)),
  )
}

/** The parser's own code, ready to make parsers. */
export async function treeSitter(): Promise<typeof TreeSitter> {
  return loadOptional('web-tree-sitter', NEED, async () => {
    const library = await import('web-tree-sitter')
    await library.Parser.init()
    return library
  })
}
