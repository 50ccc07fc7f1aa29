/** Angles of rotary position embedding (Su et al., 2021, RoFormer, section 3.2.2). */

export interface RotaryShape {
  readonly window: number
  readonly headDim: number
  readonly ropeBase: number
}

/** cos and sin [window, headDim / 2] of position × base^(-2 i / headDim). */
export function rotaryTables({ window, headDim, ropeBase }: RotaryShape): { cos: Float32Array; sin: Float32Array } {
  const half = headDim / 2
  const cos = new Float32Array(window * half)
  const sin = new Float32Array(window * half)
  for (let pair = 0; pair < half; pair++) {
    const frequency = ropeBase ** ((-2 * pair) / headDim)
    for (let position = 0; position < window; position++) {
      cos[position * half + pair] = Math.cos(position * frequency)
      sin[position * half + pair] = Math.sin(position * frequency)
    }
  }
  return { cos, sin }
}
