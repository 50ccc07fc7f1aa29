/** Appends turns to a store and tells of each that is acknowledged, until the process is killed or the count is reached. */
import { type MemoryStore, openMemory } from '../../memory/index.ts'
import { turnVector } from './turn-vector.ts'

const [path = '', name = '', from = '0', count = '1000000'] = process.argv.slice(2)

let store: MemoryStore = await openMemory(path, { exactBelow: 0 })
for (let n = Number(from); n < Number(from) + Number(count); n++) {
  const turns = Array.from({ length: 1 + (n % 3) }, (_, at) => `${name}-${n}-${at}`)
  await store.append(
    'one',
    'chat',
    turns.map((id) => ({ id, text: `whale ${id}`, vector: turnVector(id) })),
  )
  // Written at once, as standard output is a pipe.
  process.stdout.write(`${turns.join(' ')}\n`)
  if (n % 4 === 0) await store.search({ scope: 'one', text: '', vector: turnVector(`${n}`), k: 1 })
  if (n % 5 === 0) {
    await store.close()
    store = await openMemory(path, { exactBelow: 0 })
  }
}
await store.close()
