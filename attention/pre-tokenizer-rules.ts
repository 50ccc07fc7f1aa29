/**
 * How byte-level BPE vocabularies cut a text into words before merging. A GGUF file only names its rule (`tokenizer.ggml.pre`); the regular
 * expressions are those of the models' own tokenizer files, as llama.cpp applies them.
 */

/** One way to cut. */
export interface PreTokenizerRule {
  /** Applied in order to what the one before left; what matches, and what lies between matches, stands alone from then on. */
  readonly patterns: readonly RegExp[]
  /** Whether a word that is a token as it is stays whole, whatever the merges say. */
  readonly ignoreMerges: boolean
  /** Whether the start token stands before a text where the file does not say. */
  readonly addBos: boolean
}

const contraction = `'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])`
/** Ends of lines, spaces before a word (which keeps one), other spaces. */
const spaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const marks = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]'

const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"

function llama(digits: string, ends: string = spaces): string {
  return `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${ends}`
}

/** Words that also end where capitals begin. */
function cased(digits: string, ending: string): string {
  const start = '[^\\r\\n\\p{L}\\p{N}]?'
  const words = `${start}${upper}*${lower}+${ending}|${start}${upper}+${lower}*${ending}`
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`
}

/** Letters with case, as DeepSeek's file lists them. */
const casedLetters = [
  'A-Za-z\\xb5\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u01ba\\u01bc-\\u01bf\\u01c4-\\u0293\\u0295-\\u02af',
  '\\u0370-\\u0373\\u0376\\u0377\\u037b-\\u037d\\u037f\\u0386\\u0388-\\u038a\\u038c\\u038e-\\u03a1\\u03a3-\\u03f5\\u03f7-\\u0481',
  '\\u048a-\\u052f\\u0531-\\u0556\\u10a0-\\u10c5\\u13a0-\\u13f5\\u13f8-\\u13fd\\u1c90-\\u1cba\\u1cbd-\\u1cbf\\u1d00-\\u1d2b',
  '\\u1d6b-\\u1d77\\u1d79-\\u1d9a\\u1e00-\\u1f15\\u1f18-\\u1f1d\\u1f20-\\u1f45\\u1f48-\\u1f4d\\u1f50-\\u1f57\\u1f59\\u1f5b\\u1f5d',
  '\\u1f5f-\\u1f7d\\u1f80-\\u1fb4\\u1fb6-\\u1fbc\\u1fbe\\u1fc2-\\u1fc4\\u1fc6-\\u1fcc\\u1fd0-\\u1fd3\\u1fd6-\\u1fdb\\u1fe0-\\u1fec',
  '\\u1ff2-\\u1ff4\\u1ff6-\\u1ffc\\u2102\\u2107\\u210a-\\u2113\\u2115\\u2119-\\u211d\\u2124\\u2126\\u2128\\u212a-\\u212d',
  '\\u212f-\\u2134\\u2139\\u213c-\\u213f\\u2145-\\u2149\\u214e\\u2183\\u2184\\u2c00-\\u2c7b\\u2c7e-\\u2ce4\\u2ceb-\\u2cee\\u2cf2\\u2cf3',
  '\\ua640-\\ua66d\\ua680-\\ua69b\\ua722-\\ua76f\\ua771-\\ua787\\ua78b-\\ua78e\\uab70-\\uabbf\\ufb00-\\ufb06\\ufb13-\\ufb17',
  '\\uff21-\\uff3a\\uff41-\\uff5a\\u{10400}-\\u{1044f}\\u{104b0}-\\u{104d3}\\u{104d8}-\\u{104fb}\\u{10c80}-\\u{10cb2}',
  '\\u{10cc0}-\\u{10cf2}\\u{118a0}-\\u{118df}\\u{1e900}-\\u{1e943}',
].join('')

const asian = '[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+'
const kana = '[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+'
const korean = '[\\uac00-\\ud7a3\\u3131-\\u318e]+'
const wideMarks = '[\\uff01\\u2026\\u201c\\u201d\\u2018\\u2019\\u2014\\uff1a\\uff1b\\uff0c\\u3001-\\u303f\\ufe30-\\ufe4f]+'

const deepseek3 = [
  '\\p{N}{1,3}',
  kana,
  `${marks}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${spaces}`,
]
const bloom = ' ?[^(\\s|.,!?\\u2026\\u3002\\uff0c\\u3001\\u0964\\u06d4\\u060c)]+'
const runsOfSpaces = [512, 256, 128, 64, 32, 16, 8, 4].map((count) => `\\s{${count}}(?!\\S)`).join('|')
const mixed = '\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*'

/** Patterns with the names that stand for them. */
const patternsByNames: readonly (readonly [names: string, patterns: readonly string[]])[] = [
  ['llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano', [llama('\\p{N}{1,3}')]],
  ['dbrx smaug-bpe glm4 chatglm-bpe', [llama('\\p{N}{1,3}')]],
  ['qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 megrez hunyuan solar-open grok-2', [llama('\\p{N}')]],
  ['qwen35', [`${contraction}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`]],
  ['jais-2', [llama('\\p{N}{1,3}', `\\s*[\\r\\n]+|${runsOfSpaces}|\\s{1,2}(?!\\S)|\\s`)]],
  ['minicpm5', ['\\p{N}{1,3}', llama('\\p{N}+')]],
  ['gpt-2 phi-2 gigachat jina-es jina-de jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert exaone4', [gpt2]],
  ['jina-v1-en jina-v2-code roberta-bpe mpt olmo jais trillion granite-docling', [gpt2]],
  ['smollm starcoder refact command-r codeshell exaone minerva-7b', ['\\p{N}', gpt2]],
  ['falcon', ['[\\p{P}$+<=>^~|`]+', gpt2, '[0-9][0-9][0-9]']],
  ['default', ['[\\p{P}$+<=>^~|]+', gpt2, '\\p{N}+', '[0-9][0-9][0-9]']],
  [
    'deepseek-llm',
    [
      '[\\r\\n]',
      `\\s?[${casedLetters}]+`,
      '\\s?[!-\\/:-~\\uff01-\\uff0f\\uff1a-\\uff5e\\u2018-\\u201f\\u3000-\\u3002]+',
      // Only the first of a run of spaces can begin a match, and looking at no other keeps long runs fast.
      '(?<!\\s)\\s+$',
      asian,
      '\\p{N}+',
    ],
  ],
  ['deepseek-coder', ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', asian, '\\p{N}']],
  ['deepseek-v3 step35 hunyuan-dense joyai-llm', deepseek3],
  ['youtu', [`${korean}|${wideMarks}|[\\u3105-\\u312f]+|${kana}`, cased('\\p{N}', `(?:${contraction})?`)]],
  ['tekken', [cased('\\p{N}', '')]],
  ['gpt-4o llama4 kanana2 minimax-m2', [cased('\\p{N}{1,3}', `(?:${contraction})?`)]],
  ['poro-chat bloom gpt3-finnish', [bloom]],
  ['viking', [bloom, '\\p{N}']],
  [
    'bailingmoe bailingmoe2 llada-moe',
    [`${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`],
  ],
  ['seed-coder', [`${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${spaces}`]],
  [
    'exaone-moe',
    [`${contraction}|[^\\r\\n\\p{L}\\p{N}]?(?:${mixed})+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`],
  ],
]

const keepsWords = new Set('llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano youtu tekken'.split(' '))

const sources = new Map(patternsByNames.flatMap(([names, patterns]) => names.split(' ').map((name) => [name, patterns] as const)))

/** Names of the rules, in alphabetical order. */
export const preTokenizerNames: readonly string[] = [...sources.keys()].toSorted()

/** The rule called `name`; undefined when there is none. */
export function preTokenizerRule(name: string): PreTokenizerRule | undefined {
  const patterns = sources.get(name)?.map(compile)
  if (patterns === undefined) return undefined
  return { patterns, ignoreMerges: keepsWords.has(name), addBos: keepsWords.has(name) && name !== 'youtu' }
}

/** JavaScript's `\s` lacks U+0085 and holds U+FEFF, unlike that of the models' tokenizers. */
function compile(source: string): RegExp {
  return new RegExp(source.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'), 'gu')
}

/** Cuts `text` by the patterns of a rule. */
export function cutText(text: string, patterns: readonly RegExp[]): string[] {
  let parts = [text]
  for (const pattern of patterns) parts = parts.flatMap((part) => isolate(part, pattern))
  return parts
}

function isolate(text: string, pattern: RegExp): string[] {
  const parts: string[] = []
  let start = 0
  for (const match of text.matchAll(pattern)) {
    const [found] = match
    if (found === '') continue
    if (match.index > start) parts.push(text.slice(start, match.index))
    parts.push(found)
    start = match.index + found.length
  }
  if (start < text.length) parts.push(text.slice(start))
  return parts
}
