import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyModel } from '../attention/tiny-model.ts'

export interface TalkingModel extends AsyncDisposable {
  readonly path: string
}

/** The file of a tiny model of random weights that reads and writes every text, byte by byte, with a chat template of three roles. */
export async function talkingModel(seed = 1): Promise<TalkingModel> {
  const folder = await mkdtemp(join(tmpdir(), 'talking-'))
  const path = join(folder, 'model.gguf')
  const bytes = byteTokens()
  const metadata = {
    'tokenizer.ggml.tokens': ['<s>', '</s>', ...bytes],
    'tokenizer.ggml.token_type': [3, 3, ...bytes.map(() => 1)],
    'tokenizer.chat_template':
      "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}",
  }
  await writeFile(path, writeTinyModel({ window: 4096, seed, shape: { vocabulary: 258 }, metadata }))
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** The characters by which byte-level vocabularies write the 256 bytes. */
function byteTokens(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCharCode(printable ? byte : next++)
  })
}
