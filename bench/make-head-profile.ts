/** Calibrates which heads of a local model retrieve: `tsx bench/make-head-profile.ts <model.gguf> <profile.json>`. */
import { writeFile } from 'node:fs/promises'
import * as runtime from 'onnxruntime-node'
import { openDecoder } from '../attention/index.ts'
import { fileFingerprint } from '../models/file-fingerprint.ts'
import { openFileSource } from '../models/index.ts'
import { profileHeads } from '../models/head-profile.ts'

const [model = '', profile = ''] = process.argv.slice(2)
/** Heads kept in the file: those that a reader may want to watch, and the next ones to see how far off they are. */
const kept = 32

await using source = await openFileSource(model)
await using decoder = await openDecoder({ runtime, source })
const { heads, ...rest } = await profileHeads(decoder, {
  samples: 16,
  onProgress: (share) => process.stderr.write(`\r${Math.round(100 * share)} %`),
})
const stored = { ...rest, model: await fileFingerprint(source), heads: heads.slice(0, kept) }
const rows = stored.heads.map((head) => `    ${JSON.stringify(head)}`)
await writeFile(
  profile,
  `${JSON.stringify({ ...stored, heads: [] }, undefined, 2).replace('"heads": []', `"heads": [\n${rows.join(',\n')}\n  ]`)}\n`,
)
process.stderr.write('\n')
