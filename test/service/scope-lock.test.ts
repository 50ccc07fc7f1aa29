import { describe, expect, it } from 'vitest'
import { createScopeLocks } from '../../service/core/scope-lock.ts'

describe('locks of scopes', () => {
  it('let sharers in together, and an erasure in alone, in the order in which they came', async () => {
    const locks = createScopeLocks()
    const seen: string[] = []
    const exits = [await locks.enter('ada'), await locks.enter('ada')]
    const erasure = locks.exclusive('ada', async () => void seen.push('erasure'))
    const late = locks.shared('ada', async () => void seen.push('late'))
    await locks.shared('bob', async () => void seen.push('other scope'))
    expect(seen).toEqual(['other scope'])
    for (const exit of exits) exit()
    await Promise.all([erasure, late])
    expect(seen).toEqual(['other scope', 'erasure', 'late'])
  })

  it('are free again after a failure', async () => {
    const locks = createScopeLocks()
    await expect(locks.exclusive('ada', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await expect(locks.exclusive('ada', () => Promise.resolve('yes'))).resolves.toBe('yes')
  })
})
