/** The engine that local models share unless they are given one: it lives as long as one of them does. */
import { type LocalEngine, openEngine } from './local-engine.ts'

/** Freed after everything else that was asked for. */
export const releasePriority: number = Number.MAX_SAFE_INTEGER

/** A hold on an engine. */
export interface EngineHold {
  readonly engine: LocalEngine
  /** Gives the hold back; `free` runs where the engine goes on living. */
  release(free: () => Promise<unknown>): Promise<void>
}

let shared: { readonly engine: LocalEngine; holders: number } | undefined

/** Holds `own`, which its owner disposes, or else the engine of the process, which ends with its last hold. */
export function holdEngine(own?: LocalEngine): EngineHold {
  if (own !== undefined) return { engine: own, release: (free) => freeIfRunning(own, free) }
  const held = (shared ??= { engine: openEngine(), holders: 0 })
  held.holders++
  return {
    engine: held.engine,
    async release(free) {
      if (--held.holders > 0) return freeIfRunning(held.engine, free)
      if (shared === held) shared = undefined
      await held.engine.dispose()
    },
  }
}

/** A worker that does not run holds nothing, and must not be started to free it. */
async function freeIfRunning(engine: LocalEngine, free: () => Promise<unknown>): Promise<void> {
  if (engine.running) await free()
}
