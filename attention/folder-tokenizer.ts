/** The tokenizer and the chat template of a model's folder. */
import type { ByteTokenizer } from './byte-tokenizer.ts'
import { createJsonByteTokenizer } from './json-byte-tokenizer.ts'
import { folderError, type JsonObject, isObject, readJson, readText } from './json-file.ts'
import type { FileSet } from './runtime.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface FolderTokenizer {
  readonly tokenizer: ByteTokenizer
  readonly chatTemplate: string | undefined
}

/**
 * Reads `tokenizer.json`, `tokenizer_config.json`, and `chat_template.jinja` where there is one.
 *
 * @throws ModelFileError when there is no tokenizer.json, or it is of a kind that is not supported
 */
export async function createFolderTokenizer(files: FileSet, config: JsonObject): Promise<FolderTokenizer> {
  const json = await readJson(files, 'tokenizer.json')
  if (json === undefined) throw folderError(files.name, 'it has no tokenizer.json')
  const settings = (await readJson(files, 'tokenizer_config.json')) ?? {}
  const label = `${files.name}/tokenizer.json`
  const tokenizer = createJsonByteTokenizer(json, { label, ...statedIds(config), ...statedTokens(settings) })
  return { tokenizer, chatTemplate: (await readTemplate(files)) ?? templateOf(settings) }
}

async function readTemplate(files: FileSet): Promise<string | undefined> {
  const source = await files.open('chat_template.jinja')
  if (source === undefined) return undefined
  try {
    return await readText(source)
  } finally {
    await source.close?.()
  }
}

/** Either one template, or a list of them by name. */
function templateOf({ chat_template: template }: JsonObject): string | undefined {
  if (typeof template === 'string') return template
  if (!Array.isArray(template)) return undefined
  const named = template.find((entry: unknown) => isObject(entry) && entry['name'] === 'default') as JsonObject | undefined
  return typeof named?.['template'] === 'string' ? named['template'] : undefined
}

/** Ids of `config.json`; of several end tokens the first. */
function statedIds(config: JsonObject): { ids: Tokenizer['special'] } {
  const idOf = (name: string): number | undefined => {
    const value = config[name]
    const id: unknown = Array.isArray(value) ? value[0] : value
    return typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : undefined
  }
  const [bos, eos, pad] = [idOf('bos_token_id'), idOf('eos_token_id'), idOf('pad_token_id')]
  return { ids: { ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }), ...(pad !== undefined && { pad }) } }
}

/** Names of tokens, and whether a text gets them, of `tokenizer_config.json`. */
function statedTokens(settings: JsonObject): { names: Record<string, string>; addBos?: boolean; addEos?: boolean } {
  const names: Record<string, string> = {}
  for (const role of ['bos', 'eos', 'pad', 'unk']) {
    const value = settings[`${role}_token`]
    const content = isObject(value) ? value['content'] : value
    if (typeof content === 'string') names[role] = content
  }
  const { add_bos_token: addBos, add_eos_token: addEos } = settings
  return { names, ...(typeof addBos === 'boolean' && { addBos }), ...(typeof addEos === 'boolean' && { addEos }) }
}
