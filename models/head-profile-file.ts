/** Head profiles as files: JSON beside the model. */
import { readFile } from 'node:fs/promises'
import type { AttentionHead, DecoderConfig } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import type { HeadProfile, ProfiledHead } from './head-profile.ts'

/** A head profile and the model that it is of. */
export interface StoredHeadProfile extends HeadProfile {
  /** `fileFingerprint` of the model file. */
  readonly model: string
}

/** Heads that are watched at most: more add cost and noise, not certainty. */
const mostHeads = 8
/** Rank from which a head is taken to retrieve. */
const retrieves = 0.97

/** The few best heads of a profile. */
export function bestHeads({ heads }: HeadProfile): AttentionHead[] {
  return heads
    .filter(({ rank }) => rank >= retrieves)
    .slice(0, mostHeads)
    .map(({ layer, head }) => ({ layer, head }))
}

/**
 * Reads a profile.
 *
 * @throws ModelFileError when the file is missing or damaged, or was made for another model
 */
export async function readHeadProfile(path: string, model: string, config: DecoderConfig): Promise<StoredHeadProfile> {
  const problem = (why: string, cause?: unknown): ModelFileError => {
    return new ModelFileError(`Cannot use a head profile as ${why}: ${path}. Make it again with profileHeads`, { file: path, cause })
  }
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw problem('its file cannot be read', cause)
  })
  const profile = parse(text)
  if (!isProfile(profile, config)) throw problem('it is damaged or of another version')
  if (profile.model !== model) throw problem(`it is of the model ${profile.model} and not of ${model}`)
  return profile
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProfile(value: unknown, config: DecoderConfig): value is StoredHeadProfile {
  const { version, model, heads } = (value ?? {}) as Partial<Record<keyof StoredHeadProfile, unknown>>
  return version === 1 && typeof model === 'string' && Array.isArray(heads) && heads.every((head) => isHead(head, config))
}

function isHead(value: unknown, { layers, heads }: DecoderConfig): value is ProfiledHead {
  const { layer, head, rank } = (value ?? {}) as Partial<Record<keyof ProfiledHead, unknown>>
  const within = (index: unknown, count: number): boolean => Number.isInteger(index) && Number(index) >= 0 && Number(index) < count
  return within(layer, layers) && within(head, heads) && typeof rank === 'number'
}
