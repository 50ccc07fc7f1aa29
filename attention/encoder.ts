/**
 * Sentence embeddings from a BERT-like encoder: mean of the last hidden states, then L2 normalisation (Reimers and Gurevych, "Sentence-BERT:
 * Sentence Embeddings using Siamese BERT-Networks", 2019, section 3).
 *
 * Texts run one at a time. Weights quantised to int8 come with activations quantised by the range of the *whole input*, so that a vector
 * depends on the texts beside it: batches of 2 to 16 texts of equal length moved vectors by .005 to .013 of cosine, more than separates two
 * close neighbours, and at 256 tokens were no faster. One at a time, a text has one vector.
 */
import { encodeWords } from './encode-words.ts'
import { nextTask } from './next-task.ts'
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.ts'
import { tokenWindows } from './token-windows.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface EncoderOptions {
  readonly runtime: OnnxRuntime
  /** Bytes of an ONNX model: inputs `input_ids`, `attention_mask` and, if it has one, `token_type_ids`; output `last_hidden_state`. */
  readonly model: Uint8Array
  readonly tokenizer: Tokenizer
  /** Longest sequence with its special tokens; longer texts are cut at their end. 256 by default. */
  readonly maxTokens?: number
  /** Threads of one run; 2 by default. */
  readonly threads?: number
}

export interface EmbedOptions {
  /** Looked at between texts. */
  readonly signal?: AbortSignal
  /** Told the number of texts done, after each. */
  readonly onProgress?: (done: number) => void
}

/** What an encoder made of the tokens of one text. */
export interface TokenVectors {
  /** [tokens, dimensions], row by row. The mean of all rows, brought to length 1, is the vector of a text that fits one run. */
  readonly vectors: Float32Array
  /**
   * Start and end of each token in turn, in UTF-16 code units; the tokens of one word have the place of the word. What the model puts before and
   * after the text has an empty place there.
   */
  readonly offsets: Int32Array
}

/** Texts to vectors of length 1. */
export interface Encoder {
  readonly dimensions: number
  readonly maxTokens: number
  /** One vector a text, in order. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>
  /**
   * The vectors of the tokens of each text, in order. A text of more than `maxTokens` is read in windows that overlap by half: each token is taken
   * from the one in which it stands farthest from an edge. For tokenizers that part words as BERT's does.
   */
  embedTokens(texts: readonly string[], options?: EmbedOptions): Promise<TokenVectors[]>
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Tokens run between two looks at the event loop: a few milliseconds of work. */
const tokensPerTurn = 64

/** Opens an encoder; runs it once to learn its dimensions. */
export async function openEncoder(options: EncoderOptions): Promise<Encoder> {
  const { runtime, model, tokenizer, maxTokens = 256, threads = 2 } = options
  if (!(Number.isInteger(maxTokens) && maxTokens > 2)) {
    throw new RangeError(`Cannot open an encoder as maxTokens is no integer above 2: ${maxTokens}`)
  }
  const session = await runtime.InferenceSession.create(model, sessionOptions(threads))
  const toIds = (text: string): number[] => frame(tokenizer, tokenizer.encode(text), maxTokens)
  const rowsOf = (ids: readonly number[]): Promise<Float32Array> => run(runtime, session, ids)
  const embedOne = async (ids: readonly number[]): Promise<Float32Array> => normalise(meanOfRows(await rowsOf(ids), ids.length))
  const dimensions = (await embedOne(toIds(''))).length
  const dispose = disposer(session)
  return {
    dimensions,
    maxTokens,
    embed: (texts, settings) => embedAll(texts, toIds, embedOne, settings),
    embedTokens: (texts, settings) => embedTokens(texts, { tokenizer, maxTokens, dimensions, rowsOf }, settings),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** Spinning threads slow other sessions of the process down many times over. */
function sessionOptions(threads: number): object {
  const still = { allow_spinning: '0' }
  return { intraOpNumThreads: threads, interOpNumThreads: 1, extra: { session: { intra_op: still, inter_op: still } } }
}

function disposer(session: OnnxSession): () => Promise<void> {
  let released: Promise<void> | undefined
  return () => (released ??= session.release())
}

/** A sequence as the model was trained on it: start token, text, end token. */
function frame({ special }: Tokenizer, ids: readonly number[], maxTokens: number): number[] {
  const start = special.bos === undefined ? [] : [special.bos]
  const end = special.eos === undefined ? [] : [special.eos]
  return [...start, ...ids.slice(0, maxTokens - start.length - end.length), ...end]
}

async function embedAll(
  texts: readonly string[],
  toIds: (text: string) => number[],
  embedOne: (ids: readonly number[]) => Promise<Float32Array>,
  { signal, onProgress }: EmbedOptions = {},
): Promise<Float32Array[]> {
  signal?.throwIfAborted()
  const vectors: Float32Array[] = []
  let tokens = 0
  for (const text of texts) {
    const ids = toIds(text)
    vectors.push(await embedOne(ids))
    onProgress?.(vectors.length)
    tokens += ids.length
    if (tokens < tokensPerTurn) continue
    tokens = 0
    await nextTask()
    signal?.throwIfAborted()
  }
  return vectors
}

interface TokenParts {
  readonly tokenizer: Tokenizer
  readonly maxTokens: number
  readonly dimensions: number
  rowsOf(ids: readonly number[]): Promise<Float32Array>
}

async function embedTokens(
  texts: readonly string[],
  parts: TokenParts,
  { signal, onProgress }: EmbedOptions = {},
): Promise<TokenVectors[]> {
  signal?.throwIfAborted()
  const found: TokenVectors[] = []
  for (const text of texts) {
    found.push(await tokensOf(text, parts, signal))
    onProgress?.(found.length)
  }
  return found
}

async function tokensOf(
  text: string,
  { tokenizer, maxTokens, dimensions, rowsOf }: TokenParts,
  signal?: AbortSignal,
): Promise<TokenVectors> {
  const { ids, offsets } = encodeWords(tokenizer, text)
  const before = tokenizer.special.bos === undefined ? 0 : 1
  const after = tokenizer.special.eos === undefined ? 0 : 1
  const vectors = new Float32Array((before + ids.length + after) * dimensions)
  for (const { from, to, first, last } of tokenWindows(ids.length, maxTokens - before - after)) {
    const rows = await rowsOf(frame(tokenizer, ids.slice(from, to), maxTokens))
    // The frame's own rows belong to the first and to the last window.
    const start = first === 0 ? 0 : first + before
    const end = last === ids.length ? last + before + after : last + before
    vectors.set(rows.subarray((start - from) * dimensions, (end - from) * dimensions), start * dimensions)
    await nextTask()
    signal?.throwIfAborted()
  }
  const places = [...(before ? [0, 0] : []), ...offsets, ...(after ? [text.length, text.length] : [])]
  return { vectors, offsets: Int32Array.from(places) }
}

async function run(runtime: OnnxRuntime, session: OnnxSession, ids: readonly number[]): Promise<Float32Array> {
  const row = (values: BigInt64Array): OnnxTensor => new runtime.Tensor('int64', values as never, [1, ids.length])
  const feeds: Record<string, OnnxTensor> = {
    input_ids: row(BigInt64Array.from(ids, BigInt)),
    attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
  }
  if (session.inputNames.includes('token_type_ids')) feeds['token_type_ids'] = row(new BigInt64Array(ids.length))
  const { last_hidden_state: hidden } = await session.run(feeds)
  if (!(hidden?.data instanceof Float32Array)) {
    throw new TypeError(`Cannot embed as the model has no float32 output "last_hidden_state". It has: ${session.outputNames.join(', ')}`)
  }
  return hidden.data
}

function meanOfRows(rows: Float32Array, count: number): Float32Array {
  const width = rows.length / count
  const sum = new Float64Array(width)
  for (let at = 0; at < rows.length; at++) sum[at % width]! += rows[at]!
  return Float32Array.from(sum, (value) => value / count)
}

function normalise(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  // The bound keeps a vector of zeros a vector of zeros.
  const length = Math.max(Math.sqrt(squares), 1e-12)
  return vector.map((value) => value / length)
}
