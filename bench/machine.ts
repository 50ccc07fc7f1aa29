/** What a figure was measured on. */
import { execFile } from 'node:child_process'
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { models } from 'scriptorium-weights'
import { hashText } from './record.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly platform: string
  readonly node: string
  /** Commit of the code, see `commit`; absent outside a repository. */
  readonly gitSha?: string
  /** SHA-256 of the bundled models' main files. */
  readonly models: Readonly<Record<string, string>>
}

export async function describeMachine(): Promise<Machine> {
  const gitSha = await commit()
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    ...(gitSha === undefined ? {} : { gitSha }),
    models: modelHashes(),
  }
}

/** The commit of the code, with a hash of what was changed since, as in `1f2e3d4c5b6a+0a1b2c3d`; undefined outside a repository. */
export async function commit(): Promise<string | undefined> {
  const options = { cwd: import.meta.dirname, maxBuffer: 1e9 }
  const git = async (...parts: string[]): Promise<string> => (await promisify(execFile)('git', parts, options)).stdout
  try {
    const changes = await git('diff', 'HEAD', '--', '*.ts', '*.json')
    return (await git('rev-parse', '--short=12', 'HEAD')).trim() + (changes === '' ? '' : `+${hashText(changes).slice(0, 8)}`)
  } catch {
    return undefined
  }
}

function modelHashes(): Record<string, string> {
  const main = (files: Readonly<Record<string, { readonly sha256: string }>>): string | undefined =>
    Object.entries(files).find(([name]) => /\.(gguf|onnx)$/.test(name))?.[1].sha256
  return Object.fromEntries(Object.entries(models).map(([name, { files }]) => [name, main(files) ?? 'none']))
}
