/** What the commands of `memory` are told. */
import type { CommonFlags } from './options.ts'

export interface MemoryFlags extends CommonFlags {
  readonly json?: boolean
}

export interface RestoreFlags extends MemoryFlags {
  readonly force?: boolean
}

export interface ExportFlags extends MemoryFlags {
  readonly scope?: string
  readonly out?: string
  readonly vectors: boolean
}

export interface EraseFlags extends MemoryFlags {
  readonly scope?: string
  readonly document?: readonly string[]
  readonly id?: readonly string[]
  readonly journal?: string
  readonly confirm?: string
}
