/** Maps with at most `concurrency` items under way, results in order. The first failure stops the taking of new items. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  let failed = false
  async function lane(): Promise<void> {
    while (next < items.length && !failed) {
      const index = next++
      try {
        results[index] = await work(items[index] as T, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = Array.from({ length: Math.max(1, Math.min(concurrency, items.length)) }, lane)
  const ended = await Promise.allSettled(lanes)
  const rejected = ended.find((result) => result.status === 'rejected')
  if (rejected) throw rejected.reason
  return results
}
