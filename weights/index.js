/** Finds and checks the model files of this package. Plain JavaScript, so that the package needs no build. */
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const home = new URL('./models/', import.meta.url)

/** What this package holds: for each model its source, licence, and the size and SHA-256 of each file. */
export const models = JSON.parse(readFileSync(new URL('./models.json', import.meta.url), 'utf8'))

/** Models found whole in this process; failures are not kept, so that a repaired file can be tried again. */
const verified = new Set()

/** The path of a file of a model, once it is known to be there and to have its size. */
export async function modelFile(name, file) {
  const { size } = entry(name, file)
  const path = fileURLToPath(new URL(`${name}/${file}`, home))
  const found = await sizeOf(path)
  if (found !== size) throw damaged(path, `has ${found} bytes instead of ${size}`)
  return path
}

/** Checks size and SHA-256 of every file of a model; a success holds for the life of the process. */
export async function verifyModel(name, { signal } = {}) {
  signal?.throwIfAborted()
  if (verified.has(name)) return
  for (const file of Object.keys(modelEntry(name).files)) {
    const path = await modelFile(name, file)
    const { sha256 } = entry(name, file)
    const found = await hashOf(path, signal)
    if (found !== sha256) throw damaged(path, `has the SHA-256 ${found} instead of ${sha256}`)
  }
  verified.add(name)
}

function modelEntry(name) {
  if (Object.hasOwn(models, name)) return models[name]
  throw new RangeError(`Cannot find a model as the package scriptorium-weights holds none of that name: ${name}. It holds: ${list(models)}`)
}

function entry(name, file) {
  const { files } = modelEntry(name)
  if (Object.hasOwn(files, file)) return files[file]
  throw new RangeError(`Cannot find a file as the model ${name} has none of that name: ${file}. It has: ${list(files)}`)
}

function list(record) {
  return Object.keys(record).join(', ')
}

async function sizeOf(path) {
  try {
    const found = await stat(path)
    if (found.isFile()) return found.size
  } catch (cause) {
    throw problem('missing', path, `it does not exist or cannot be reached (${cause.code})`, cause)
  }
  throw problem('missing', path, 'it is not a file')
}

async function hashOf(path, signal) {
  const hash = createHash('sha256')
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(bytes)
  } catch (cause) {
    signal?.throwIfAborted()
    throw problem('missing', path, `it cannot be read (${cause.code})`, cause)
  }
  return hash.digest('hex')
}

function damaged(path, what) {
  return problem('damaged', path, `it ${what}`)
}

/** An error with `code` and `file`; no class, so that callers need no import from this optional package. */
function problem(kind, path, why, cause) {
  const message = `Cannot use a model file as ${why}: ${path}. Install it again with: npm install scriptorium-weights`
  const code = kind === 'missing' ? 'MODEL_FILE_MISSING' : 'MODEL_FILE_DAMAGED'
  return Object.assign(new Error(message, { cause }), { code, file: path })
}
