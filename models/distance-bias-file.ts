/** Tables of mean logits by distance as files: JSON beside the model. */
import { readFile } from 'node:fs/promises'
import type { DecoderConfig, DistanceBias } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import { biasOf, type DistanceTable } from './distance-bias.ts'

/** A table and the model that it is of. */
export interface StoredDistanceTable extends DistanceTable {
  /** `fileFingerprint` of the model file. */
  readonly model: string
  /** How the model rotates: a table holds for no other. */
  readonly ropeForm: string
  /** Name and SHA-256 of each text that it was made on. */
  readonly texts: readonly { readonly name: string; readonly sha256: string }[]
}

/**
 * Reads a table.
 *
 * @param model `fileFingerprint` of the model file
 * @throws ModelFileError when the file is missing or damaged, or was made for another model
 */
export async function readDistanceBias(path: string, model: string, config: DecoderConfig): Promise<DistanceBias> {
  const problem = (why: string, cause?: unknown): ModelFileError => {
    return new ModelFileError(`Cannot use a calibration as ${why}: ${path}. Make it again with: scriptorium calibrate`, {
      file: path,
      cause,
    })
  }
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw problem('its file cannot be read', cause)
  })
  const table = parse(text)
  if (!isTable(table, config)) throw problem('it is damaged or of another version')
  if (table.model !== model) throw problem(`it is of the model ${table.model} and not of ${model}`)
  if (table.ropeForm !== config.ropeForm) throw problem(`its model rotated by ${table.ropeForm} and not by ${config.ropeForm}`)
  return biasOf(table)
}

/** A table as a file: a layer a line. */
export function tableText({ logits, ...rest }: StoredDistanceTable): string {
  const lines = logits.map((values) => `    ${JSON.stringify(values)}`).join(',\n')
  const distances = JSON.stringify(rest.distances)
  return `${JSON.stringify({ ...rest, distances: [], logits: [] }, undefined, 2)
    .replace('"distances": []', `"distances": ${distances}`)
    .replace('"logits": []', `"logits": [\n${lines}\n  ]`)}\n`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isTable(value: unknown, { layers }: DecoderConfig): value is StoredDistanceTable {
  const { version, model, ropeForm, distances, logits } = (value ?? {}) as Partial<Record<keyof StoredDistanceTable, unknown>>
  return (
    version === 1 &&
    typeof model === 'string' &&
    typeof ropeForm === 'string' &&
    areNumbers(distances) &&
    distances.every((distance, index) => (index === 0 ? distance === 0 : distance > (distances[index - 1] ?? 0))) &&
    Array.isArray(logits) &&
    logits.length === layers &&
    logits.every((values: unknown) => areNumbers(values) && values.length === distances.length)
  )
}

function areNumbers(values: unknown): values is number[] {
  return Array.isArray(values) && values.length > 0 && values.every((value) => Number.isFinite(value))
}
