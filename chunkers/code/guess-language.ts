/** How much of a text is looked at. */
const HEAD = 8_000
/** Different signs of one language that make a text its source code; fewer stand in prose too. */
const LEAST_SIGNS = 2

/** Lines that are common in one language and rare in others and in prose. */
const SIGNS: readonly (readonly [language: string, signs: readonly RegExp[]])[] = [
  // Its opening tag alone tells PHP.
  ['php', [/^<\?php/, /^<\?php\s/]],
  ['go', [/^package \w+$/m, /^func (?:\(\w+ \*?\w+\) )?\w+\(/m, /^import (?:\(|")/m, /^\t+\w+(?:, \w+)* := /m]],
  ['rust', [/^[ \t]*(?:pub(?:\(crate\))? )?fn \w+/m, /^(?:pub )?use \w+::[\w:{}, *]+;/m, /^impl\b[^\n;]*\{/m, /\blet mut \w+/]],
  [
    'java',
    [
      /^package [\w.]+;/m,
      /^import (?:static )?\w+\.[\w.]+(?:\.\*)?;/m,
      /^[ \t]*(?:public|private|protected) (?:static |final |abstract )*(?:class|interface|enum) \w+/m,
      /\bSystem\.out\.print/,
    ],
  ],
  ['c#', [/^using [A-Z][\w.]*;/m, /^namespace [\w.]+/m, /\{ get; (?:(?:private |protected )?(?:set|init); )?\}/, /\bConsole\.Write/]],
  ['c++', [/^[ \t]*#[ \t]*include[ \t]*[<"]/m, /\bstd::\w+/, /^(?:using namespace \w+;|template ?<)/m, /^(?:int|void) \w+\([^\n]*\)/m]],
  [
    'typescript',
    [
      /^import (?:type )?[^\n;]* from ['"]/m,
      /^export (?:default )?(?:abstract |async )?(?:function|class|const|interface|type|enum)\b/m,
      /^(?:export )?(?:interface \w+[^\n]*\{|type \w+(?:<[^\n=]*>)? =)/m,
      /\w\??: (?:string|number|boolean|void|unknown)\b/,
    ],
  ],
  [
    'javascript',
    [
      /^(?:const|let|var) [\w{}, ]+ = /m,
      /\bfunction\s?\w*\(/,
      /=> ?[{(]/,
      /\brequire\(['"]/,
      /^(?:module\.)?exports[.\w]* = /m,
      /^import [^\n;]* from ['"]/m,
    ],
  ],
  [
    'ruby',
    [
      /^[ \t]*def [\w.]+[?!]?(?:\([^\n]*\))?$/m,
      /^[ \t]*end$/m,
      /^require(?:_relative)? ['"]/m,
      /^[ \t]*(?:class|module) [A-Z][\w:]*(?: < [\w:]+)?$/m,
    ],
  ],
  [
    'python',
    [
      /^[ \t]*(?:async )?def \w+\([^\n]*:$/m,
      /^[ \t]*class \w+(?:\([^\n]*\))?:$/m,
      /^(?:from [\w.]+ )?import \w[\w., ]*$/m,
      /^if __name__ == /m,
    ],
  ],
]

/** The language of source code that neither its name nor its first line tells, by lines that are common in it; undefined for other texts. */
export function guessLanguage(text: string): string | undefined {
  const head = text.slice(0, HEAD)
  let best: string | undefined
  let most = LEAST_SIGNS - 1
  for (const [language, signs] of SIGNS) {
    const found = signs.filter((sign) => sign.test(head)).length
    if (found <= most) continue
    best = language
    most = found
  }
  return best
}
