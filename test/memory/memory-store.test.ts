import { describe, expect, it } from 'vitest'
import { createMemoryStore, openMemory } from '../../memory/index.ts'
import { memoryStoreSuite } from '../../testing/memory-store-suite.ts'

const runner = { describe, it, expect }

memoryStoreSuite('in-process store', () => createMemoryStore(), runner)
memoryStoreSuite('SQLite store', () => openMemory(':memory:'), runner)
memoryStoreSuite('SQLite store with the approximate index', () => openMemory(':memory:', { exactBelow: 0 }), runner)
