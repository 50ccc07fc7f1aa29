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

/** The programming language of a text: by its first line, else by its name; undefined where it is no source code. */
export function codeLanguage(text: string, name: string): string | undefined {
  const program = /^#![^\n]*?([\w.+-]+)(?: -\w+)*\s*$/m.exec(text.slice(0, 200))?.[1]
  const known = text.startsWith('#!') && program !== undefined ? BY_PROGRAM.find(([pattern]) => pattern.test(program))?.[1] : undefined
  return known ?? BY_EXTENSION[/\.([a-z0-9+]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '']
}
