import { expect, test } from 'vitest'
import { alternate } from '../../bench/alternate.ts'
import { copyRate } from '../../bench/copy-rate.ts'

test('alternate() changes who goes first and takes medians of times and ratios', async () => {
  const order: string[] = []
  const times = { ours: [1, 2, 4], peer: [3, 4, 40] }
  const side = (name: 'ours' | 'peer') => async (): Promise<number> => {
    order.push(name)
    return times[name].shift() ?? NaN
  }
  expect(await alternate(3, side('ours'), side('peer'))).toEqual({ ours: 2, peer: 4, ratio: 3 })
  expect(order).toEqual(['ours', 'peer', 'peer', 'ours', 'ours', 'peer'])
})

test('copyRate() is a rate', () => {
  expect(copyRate(1)).toBeGreaterThan(0)
})
