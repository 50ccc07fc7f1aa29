/** A run of the encoder over tokens `[from, to)`, of which the vectors of `[first, last)` are kept. */
export interface TokenWindow {
  readonly from: number
  readonly to: number
  readonly first: number
  readonly last: number
}

/**
 * Windows over more tokens than fit one run. Each overlaps the next by half, and each token is taken from the window in which it stands farthest
 * from an edge, so that a quarter of a window is known on both sides of it, but at the ends of the text.
 *
 * @param room tokens of a window, without those that frame it
 */
export function tokenWindows(count: number, room: number): TokenWindow[] {
  if (count <= room) return [{ from: 0, to: count, first: 0, last: count }]
  const step = Math.max(1, room >> 1)
  const margin = (room - step) >> 1
  const windows: TokenWindow[] = []
  for (let from = 0, first = 0; first < count; from += step) {
    const to = Math.min(count, from + room)
    const last = to === count ? count : to - (room - step - margin)
    windows.push({ from, to, first, last })
    first = last
  }
  return windows
}
