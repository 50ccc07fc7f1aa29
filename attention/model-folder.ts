/**
 * A folder as Hugging Face has it (`config.json`, `tokenizer.json`, `*.safetensors`) in the form of a GGUF file, so that whatever reads the
 * one reads the other. Nothing is converted before it is read.
 */
import type { ByteTokenizer } from './byte-tokenizer.ts'
import { type FolderArchitecture, folderArchitecture, folderClasses, ggufTensorName, isDerivedTensor } from './folder-architectures.ts'
import { folderMetadata } from './folder-metadata.ts'
import { folderRotary } from './folder-rotary.ts'
import type { GgufFile, GgufTensor } from './gguf.ts'
import { modelFileError, shown } from './header-reader.ts'
import { createFolderTokenizer } from './folder-tokenizer.ts'
import { folderError, isObject, type JsonObject, readJson } from './json-file.ts'
import type { ByteSource, FileSet } from './runtime.ts'
import { readSafetensors, type SafeTensor } from './safetensors.ts'
import { floatType, interleavedPart, plainPart, valuesPart, vectorPart } from './tensor-parts.ts'
import { type VirtualPart, VirtualSource } from './virtual-source.ts'

export interface ModelFolder {
  /** The folder in the form of a GGUF file. */
  readonly file: GgufFile
  readonly tokenizer: ByteTokenizer
  readonly chatTemplate: string | undefined
  /** Closes the files. */
  close(): Promise<void>
}

const single = 'model.safetensors'
const index = 'model.safetensors.index.json'
const mostShards = 4096

interface Shard {
  readonly source: ByteSource
  readonly tensors: ReadonlyMap<string, SafeTensor>
}

/**
 * Reads the settings, the vocabulary and the list of tensors; no tensor data.
 *
 * @throws ModelFileError when a file is missing or damaged, or the model is of a kind that is not supported
 */
export async function readModelFolder(files: FileSet): Promise<ModelFolder> {
  const config = await readJson(files, 'config.json')
  if (config === undefined) throw folderError(files.name, 'it has no config.json')
  const architecture = architectureOf(config, files.name)
  const rotary = folderRotary(config, files.name)
  const metadata = folderMetadata(config, architecture, rotary, files.name)
  const { tokenizer, chatTemplate } = await createFolderTokenizer(files, config)
  const opened: Closable[] = []
  const close = async (): Promise<void> => {
    for (const source of opened.splice(0)) await source.close?.()
  }
  try {
    const shards = await openShards(files, opened)
    const tensors = new Map<string, GgufTensor>()
    const source = new VirtualSource(files.name)
    for (const shard of shards)
      for (const tensor of shard.tensors.values()) place(shard.source, tensor, architecture, config, source, tensors)
    for (const [name, divisors] of rotary.divisors) addTensor(tensors, source, name, 'F32', [divisors.length], valuesPart(divisors))
    return { file: { source, version: 3, metadata, tensors }, tokenizer, chatTemplate, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Closable = ByteSource & { close?(): Promise<void> }

function architectureOf(config: JsonObject, label: string): FolderArchitecture {
  const classes = config['architectures']
  const className: unknown = Array.isArray(classes) ? classes[0] : undefined
  const found = folderArchitecture(className)
  if (found !== undefined) return found
  throw folderError(
    `${label}/config.json`,
    `its architecture is not supported: ${shown(className)}. Supported: ${folderClasses.join(', ')}`,
  )
}

async function openShards(files: FileSet, opened: Closable[]): Promise<Shard[]> {
  const listed = await readJson(files, index)
  const map = listed === undefined ? undefined : weightMap(listed, `${files.name}/${index}`)
  const names = map === undefined ? [single] : [...new Set(map.values())]
  const shards = new Map<string, Shard>()
  for (const name of names) {
    const source = await files.open(name)
    if (source === undefined) throw folderError(files.name, `it has no file ${name}`)
    opened.push(source)
    shards.set(name, { source, tensors: await readSafetensors(source) })
  }
  for (const [tensor, name] of map ?? []) {
    const shard = shards.get(name)
    if (shard !== undefined && !shard.tensors.has(tensor))
      throw modelFileError(shard.source, `it has no tensor ${tensor}, which ${index} places there`)
  }
  return [...shards.values()]
}

function weightMap(listed: JsonObject, label: string): Map<string, string> {
  const map = listed['weight_map']
  if (!isObject(map)) throw folderError(label, 'it has no weight_map')
  const names = new Map<string, string>()
  for (const [tensor, name] of Object.entries(map)) {
    // A name is no path: an index must not lead out of its folder.
    if (typeof name !== 'string' || !/^[\w.-]+\.safetensors$/.test(name))
      throw folderError(label, `it places ${tensor} in no safetensors file: ${shown(name)}`)
    names.set(tensor, name)
  }
  const shards = new Set(names.values()).size
  if (shards > mostShards) throw folderError(label, `it lists more than ${mostShards} files: ${shards}`)
  return names
}

/** Adds one tensor under its GGUF name and in its GGUF form. */
function place(
  source: ByteSource,
  tensor: SafeTensor,
  architecture: FolderArchitecture,
  config: JsonObject,
  target: VirtualSource,
  tensors: Map<string, GgufTensor>,
): void {
  if (isDerivedTensor(tensor.name) || (tensor.name === 'lm_head.weight' && config['tie_word_embeddings'] === true)) return
  const name = ggufTensorName(architecture, tensor.name)
  if (name === undefined) throw modelFileError(source, `it has a tensor that is not supported: ${tensor.name}`)
  if (tensors.has(name)) throw modelFileError(source, `tensor ${tensor.name} is in two files`)
  if (tensor.bytes === 0 || tensor.shape.length < 1 || tensor.shape.length > 2) {
    throw modelFileError(source, `tensor ${tensor.name} is neither a vector nor a matrix: ${tensor.shape.join(' x ')}`)
  }
  const type = floatType(source, tensor)
  const isVector = tensor.shape.length === 1
  const offset = name.endsWith('norm.weight') ? architecture.normOffset : 0
  const part = isVector ? vectorPart(source, tensor, offset) : plainPart(source, tensor)
  const ordered = architecture.interleaved ? interleaved(source, name, tensor, part, config) : part
  addTensor(tensors, target, name, isVector ? 'F32' : type, tensor.shape.toReversed(), ordered)
}

function interleaved(source: ByteSource, name: string, tensor: SafeTensor, part: VirtualPart, config: JsonObject): VirtualPart {
  const isQuery = /\.attn_q\.(weight|bias)$/.test(name)
  if (!isQuery && !/\.attn_k\.(weight|bias)$/.test(name)) return part
  const queries = config['num_attention_heads']
  const heads = isQuery ? queries : (config['num_key_value_heads'] ?? queries)
  const [rows = 0] = tensor.shape
  if (typeof heads !== 'number' || !Number.isInteger(heads) || heads < 1 || rows % (2 * heads) !== 0) {
    throw modelFileError(source, `the ${rows} rows of tensor ${tensor.name} are not ${shown(heads)} heads of an even size`)
  }
  return interleavedPart(part, rows, heads)
}

function addTensor(
  tensors: Map<string, GgufTensor>,
  source: VirtualSource,
  name: string,
  type: GgufTensor['type'],
  dims: readonly number[],
  part: VirtualPart,
): void {
  tensors.set(name, { name, type, dims, start: source.add(part), bytes: part.bytes })
}
