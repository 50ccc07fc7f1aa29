import { describe, expect, it } from 'vitest'
import { type DrawnText, lines, makePdf } from '../../../bench/samples/make-pdf.ts'
import { makeLockedPdf } from './make-locked-pdf.ts'
import { expectSound, read, refusal } from './read.ts'

/** Right-to-left text as a page draws it: from the left, the last letter first. */
function drawnBackwards(text: string, place: Pick<DrawnText, 'x' | 'y'>): DrawnText {
  return { ...place, text, font: 'unicode', glyphs: Array.from(text).toReversed() }
}

describe('a PDF', () => {
  it('in Chinese is read without spaces between its lines', async () => {
    const document = await read(
      makePdf([{ texts: lines(['叫我以实玛利。几年前,口袋里几乎没有', '钱,我想出海去看看。'], { font: 'chinese' }) }]),
      'a.pdf',
    )
    expect(document.text).toBe('叫我以实玛利。几年前,口袋里几乎没有钱,我想出海去看看。')
    expectSound(document)
  })

  it('in Chinese from top to bottom is read column by column from the right', async () => {
    const columns = ['叫我以实玛利几年前', '口袋里几乎没有钱我', '想出海去看看'].map((text, at): DrawnText => ({
      text,
      x: 500 - at * 24,
      y: 700,
      size: 12,
      font: 'vertical',
    }))
    const document = await read(makePdf([{ texts: columns.toReversed() }]), 'a.pdf')
    expect(document.text).toBe('叫我以实玛利几年前口袋里几乎没有钱我想出海去看看')
    expectSound(document)
  })

  it.each([
    ['Hebrew', ['קראו לי ישמעאל לפני כמה שנים', 'יצאתי אל הים לראות את העולם']],
    ['Arabic', ['نادني إسماعيل قبل بضع سنوات', 'خرجت إلى البحر لأرى العالم']],
  ])('in %s is read from the right', async (_, texts) => {
    const drawn = texts.map((text, at) => drawnBackwards(text, { x: 200, y: 700 - at * 13 }))
    const document = await read(makePdf([{ texts: drawn }]), 'a.pdf')
    expect(document.text).toBe(texts.join(' '))
    expectSound(document)
  })

  it('with Hebrew drawn word by word keeps the order of the words', async () => {
    const words = ['קראו', 'לי', 'ישמעאל']
    let right = 400
    const drawn = words.map((word) => drawnBackwards(word, { x: (right -= word.length * 5.5 + 4) + 4, y: 700 }))
    expect((await read(makePdf([{ texts: drawn }]), 'a.pdf')).text).toBe('קראו לי ישמעאל')
  })

  it('with words of another script in Hebrew keeps them in their order', async () => {
    const pieces: readonly (readonly [string, number])[] = [
      ['ישמעאל', 72],
      ['Moby', 112],
      ['Dick', 142],
      ['קראו', 172],
    ]
    const drawn = pieces.map(([text, x]) => (/[a-z]/.test(text) ? { text, x, y: 700 } : drawnBackwards(text, { x, y: 700 })))
    expect((await read(makePdf([{ texts: drawn }]), 'a.pdf')).text).toBe('קראו Moby Dick ישמעאל')
  })

  it('has the letters of Arabic, not the forms that a font has for them', async () => {
    // Beh at the beginning, heh in the middle, lam and alef as one, at the end.
    const document = await read(makePdf([{ texts: [drawnBackwards('\uFE91\uFEEC\uFEFC', { x: 72, y: 700 })] }]), 'a.pdf')
    expect(document.text).toBe('\u0628\u0647\u0644\u0627')
  })

  it.each([
    ['as one glyph of several letters', ['o', 'ffi', 'ce', ' ', 'fl', 'o', 'w', 's']],
    ['as characters of compatibility', ['o', '\uFB03', 'ce', ' ', '\uFB02', 'o', 'w', 's']],
  ])('has ligatures resolved that stand %s', async (_, glyphs) => {
    const { text } = await read(makePdf([{ texts: [{ text: '', glyphs, x: 72, y: 700, font: 'unicode' }] }]), 'a.pdf')
    expect(text).toBe('office flows')
  })

  it('keeps emoji and letters beyond the basic plane', async () => {
    const glyphs = ['A', ' ', 'w', 'h', 'a', 'l', 'e', ' ', '🐳', ' ', '👩‍👩‍👧', ' ', '𝔐', 'o', 'b', 'y']
    const document = await read(makePdf([{ texts: [{ text: '', glyphs, x: 72, y: 700, font: 'unicode' }] }]), 'a.pdf')
    expect(document.text).toBe('A whale 🐳 👩‍👩‍👧 𝔐oby')
    expectSound(document)
  })

  it('that only forbids changes is read', async () => {
    expect((await read(makeLockedPdf('Call me Ishmael.', { owner: 'ahab' }), 'a.pdf')).text).toBe('Call me Ishmael.')
  })

  it('with a password is read with it, and is refused without it', async () => {
    const locked = makeLockedPdf('Call me Ishmael.', { owner: 'ahab', user: 'queequeg' })
    expect(await refusal(locked, 'a.pdf')).toMatchObject({ reason: 'encrypted', message: expect.stringContaining('give its password') })
    expect(await refusal(locked, 'a.pdf', { password: 'x' })).toMatchObject({
      reason: 'encrypted',
      message: expect.stringContaining('is wrong'),
    })
    for (const password of ['ahab', 'queequeg']) expect((await read(locked, 'a.pdf', { password })).text).toBe('Call me Ishmael.')
  })

  it('that disks or mail programs filled up with NULs is read', async () => {
    const pdf = makePdf([{ texts: lines(['Call me Ishmael.']) }])
    expect((await read(Buffer.concat([pdf, Buffer.alloc(5_000)]), 'a.pdf')).text).toBe('Call me Ishmael.')
  })
})
