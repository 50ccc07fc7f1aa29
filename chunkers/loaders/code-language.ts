/** Languages of source code by the extension of the file. */
const BY_EXTENSION: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    bash: 'sh bash zsh',
    c: 'c h',
    'c#': 'cs',
    'c++': 'cc cpp cxx hh hpp hxx',
    clojure: 'clj cljs',
    css: 'css scss less',
    dart: 'dart',
    elixir: 'ex exs',
    erlang: 'erl',
    go: 'go',
    haskell: 'hs',
    java: 'java',
    javascript: 'js mjs cjs jsx',
    kotlin: 'kt kts',
    lua: 'lua',
    perl: 'pl pm',
    php: 'php',
    python: 'py pyi',
    r: 'r',
    ruby: 'rb',
    rust: 'rs',
    scala: 'scala',
    sql: 'sql',
    swift: 'swift',
    tsx: 'tsx',
    typescript: 'ts mts cts',
    zig: 'zig',
  }).flatMap(([language, extensions]) => extensions.split(' ').map((extension) => [extension, language])),
)

/** Languages by the program that a first line `#!` names. */
const BY_PROGRAM: readonly (readonly [RegExp, string])[] = [
  [/\b(?:ba|z|da|k)?sh$/, 'bash'],
  [/\bpython[\d.]*$/, 'python'],
  [/\bnode$/, 'javascript'],
  [/\bperl$/, 'perl'],
  [/\bruby$/, 'ruby'],
  [/\bphp[\d.]*$/, 'php'],
]

/** Lines that hardly stand in a text of another language, or in prose. */
const BY_LINES: readonly (readonly [RegExp, string])[] = [
  [/^#include[ \t]*[<"]\S+[>"][ \t]*$/gm, 'c'],
  [/^(?:package \w+|func (?:\([^)]*\) )?\w+\([^{]*\{)[ \t]*$/gm, 'go'],
  [/^(?:package [\w.]+;|import (?:static )?[\w.]+(?:\.\*)?;|public (?:final |abstract )?(?:class|interface|enum) \w+.*)[ \t]*$/gm, 'java'],
  [
    /^(?:import [\w*{}, $]+ from ['"][^'"]+['"];?|export (?:default |const |function |class ).*[{=(;]?|const \w+ = require\(.*)[ \t]*$/gm,
    'javascript',
  ],
  [/^(?:from [\w.]+ import [\w*, ()]+|import [\w.]+(?: as \w+)?|(?:async )?def \w+\(.*:|class \w+(?:\(.*\))?:)[ \t]*$/gm, 'python'],
  [/^(?:use \w+::[\w:{}*, ]+;|(?:pub )?(?:fn \w+.*\{|struct \w+.*[{;]|enum \w+.*\{)|impl\b.*\{)[ \t]*$/gm, 'rust'],
]
const LEAST_LINES = 2
/** Code units that are looked at, and the longest line among them. */
const LOOKED_AT = 20_000
const LONGEST_LINE = 200

/**
 * The programming language of a text: by its first line, else by its name, else, where the name has no extension, by lines that only one language has;
 * undefined where it is no source code.
 */
export function codeLanguage(text: string, name: string): string | undefined {
  const program = /^#![^\n]*?([\w.+-]+)(?: -\w+)*\s*$/m.exec(text.slice(0, 200))?.[1]
  const known = text.startsWith('#!') && program !== undefined ? BY_PROGRAM.find(([pattern]) => pattern.test(program))?.[1] : undefined
  const extension = /\.([a-z0-9+]+)$/i.exec(name)?.[1]?.toLowerCase()
  return known ?? (extension === undefined ? languageByLines(text) : BY_EXTENSION[extension])
}

function languageByLines(text: string): string | undefined {
  const lines = text.slice(0, LOOKED_AT).split(/\r?\n/)
  const head = lines.filter(({ length }) => length <= LONGEST_LINE).join('\n')
  return BY_LINES.find(([pattern]) => (head.match(pattern)?.length ?? 0) >= LEAST_LINES)?.[1]
}
