/** Whether a cut at `offset` would part a surrogate pair. */
export function cutsSurrogatePair(text: string, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return false
  return isHigh(text.charCodeAt(offset - 1)) && isLow(text.charCodeAt(offset))
}

/** Offset of the first surrogate without its other half; -1 when there is none. */
export function loneSurrogate(text: string): number {
  return text.search(/\p{Surrogate}/u)
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
