import { writeFile } from 'node:fs/promises'
import { openDecoder } from '../attention/index.ts'
import { loadOptional } from '../errors/index.ts'
import { besideModel } from './beside-model.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import { openFileSource } from './file-source.ts'
import { profileHeads, type ProfileOptions } from './head-profile.ts'
import type { StoredHeadProfile } from './head-profile-file.ts'

/** Heads kept in a file: those that a reader may want to watch, and the next ones to see how far off they are. */
const kept = 32

/**
 * Finds out which heads of a model retrieve, and writes them beside it, where `openLocalModel` looks for them. The weights are loaded in this thread.
 *
 * @param path a GGUF file
 * @param out where the profile goes; by default beside the model, with the ending `.heads.json` in place of `.gguf`
 * @returns the path of the profile
 * @throws ModelFileError when the file is missing, damaged or not supported
 */
export async function profileModel(
  path: string,
  { out = besideModel(path, 'heads.json'), ...options }: ProfileOptions & { readonly out?: string } = {},
): Promise<string> {
  const runtime = await loadOptional('onnxruntime-node', 'profile a model', () => import('onnxruntime-node'))
  await using source = await openFileSource(path)
  await using decoder = await openDecoder({ runtime, source })
  const profile = await profileHeads(decoder, { samples: 16, ...options })
  await writeFile(out, textOf({ ...profile, model: await fileFingerprint(source), heads: profile.heads.slice(0, kept) }))
  return out
}

/** One head a line. */
function textOf({ heads, ...rest }: StoredHeadProfile): string {
  const lines = heads.map((head) => `    ${JSON.stringify(head)}`)
  return `${JSON.stringify({ ...rest, heads: [] }, undefined, 2).replace('"heads": []', `"heads": [\n${lines.join(',\n')}\n  ]`)}\n`
}
