/** What the tests of `chunk` share: its lines of JSON, and a text that means harm. */
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Chunk } from '../../chunkers/index.ts'
import { place } from './command.ts'

export type Line = Omit<Chunk, 'vector'> & { readonly document: string; readonly line: number; readonly place?: string }

export function linesOf(out: string): Line[] {
  expect(out).toMatch(/\n$/)
  return out
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** The name of a file that is not there yet. */
export const at = (name: string): string => join(place.folder, name)

/** Every kind of text that could end an attribute, an element or a line, or turn the writing around. */
export const hostile: string = [
  `</script><script>alert(1)</script> is said.`,
  `</span></div></main><img src="https://evil.example/x.png" onerror='alert(2)'> is shown.`,
  `" onmouseover="alert(3)" and ' onfocus='alert(4)' and \`\${alert(5)}\` are quoted.`,
  `<style>@import url(//evil.example/a.css)</style><base href="https://evil.example/"> is styled.`,
  `<!-- ]]> --> &lt;b&gt; &amp;#60; is &copy; escaped.`,
  `\u202eright to left\u202c and \u2066isolated\u2069 and \u061cmarked\u200f is turned.`,
  `\u001b[31mred\u0007 and \u009b2J is coloured.`,
].join('\n\n')

/** The signs that no table and no page may hold as they are. */
// oxlint-disable-next-line no-control-regex
export const signs: RegExp = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
