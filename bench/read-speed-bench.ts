import type { Bench, Setting } from './bench.ts'
import { readSpeed } from './read-speed.ts'

export const bench: Bench = {
  name: 'read-speed',
  async run({ quick, signal }) {
    signal.throwIfAborted()
    const { settings, figures } = await readSpeed({ quick })
    return { settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, flat(value)])), figures }
  },
}

function flat(value: unknown): Setting {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : JSON.stringify(value)
}
