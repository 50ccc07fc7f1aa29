import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { archive, makePptx } from '../../../bench/samples/make-office.ts'
import { createDocument, interleaveTranscript } from '../../../chunkers/index.ts'
import { alignCues } from '../../../chunkers/loaders/align-cues.ts'
import { expectSound, marked, read } from './read.ts'

const slides = [
  { title: 'The whale', body: ['Moby Dick is white', 'He lives in the Pacific'], notes: 'Show the picture.' },
  { title: 'The captain', body: ['Ahab has a leg of ivory'] },
  { title: 'The ship', body: ['Pequod sails from Nantucket'] },
]
const vtt = [
  'WEBVTT',
  '00:01.000 --> 00:03.000\n<v Melville>Welcome to my talk.</v>',
  '00:04.000 --> 00:06.000\nThis white creature lives far out.',
  '00:12:31.000 --> 00:12:33.000\nAhab walks on ivory.',
  '00:12:34.000 --> 00:12:35.000\nYou hear him at night.',
  '00:20:00.000 --> 00:20:02.000\nAnd this is how Nantucket looked.',
].join('\n\n')

describe('interleaveTranscript()', () => {
  it('puts what was said behind its slide, with its notes, and tells slide, time and speaker', async () => {
    const document = interleaveTranscript(await read(makePptx(slides), 'talk.pptx'), await read(vtt, 'talk.vtt'))
    expect(document.text).toBe(
      [
        'The whale\n\nMoby Dick is white\nHe lives in the Pacific\n\nShow the picture.',
        'Melville: Welcome to my talk.\nThis white creature lives far out.',
        'The captain\n\nAhab has a leg of ivory',
        'Ahab walks on ivory.\nYou hear him at night.',
        'The ship\n\nPequod sails from Nantucket',
        'And this is how Nantucket looked.',
      ].join('\n\n'),
    )
    expect(document.sections.map(({ title }) => title)).toEqual(['The whale', 'The captain', 'The ship'])
    expect(marked(document, 'notes')).toEqual([['Show the picture.', undefined]])
    expect(document.locate(document.text.indexOf('Welcome'))).toMatchObject({ page: 1, time: '00:00:01.000', speaker: 'Melville' })
    expect(document.locate(document.text.indexOf('You hear'))).toMatchObject({
      page: 2,
      place: 'slide 2',
      time: '00:12:34.000',
      sections: ['The captain'],
    })
    expect(document.locate(document.text.indexOf('The ship'))).not.toHaveProperty('time')
    expectSound(document)
  })

  it('refuses what has no pages or no times', async () => {
    const [talk, spoken] = [await read(makePptx(slides), 'talk.pptx'), await read(vtt, 'talk.vtt')]
    const plain = createDocument({ name: 'a.txt', text: 'Text.' })
    expect(() => interleaveTranscript(plain, spoken)).toThrow('Cannot interleave a transcript as the document has no pages: a.txt')
    expect(() => interleaveTranscript(talk, plain)).toThrow('Cannot interleave a transcript as its marks tell no times: a.txt')
  })
})

describe('alignCues()', () => {
  it('never goes back, and passes over slides that were not spoken of', () => {
    const texts = ['harbour lantern', 'compass sextant', 'harpoon blubber']
    expect(alignCues(texts, ['lantern light', 'harpoon thrown', 'a harpoon', 'lantern again', 'blubber boiled'])).toEqual([0, 2, 2, 2, 2])
    expect(alignCues(texts, [])).toEqual([])
  })

  it('reads scripts without spaces', () => {
    expect(alignCues(['白鲸的故事', '船长的腿'], ['我们说说白鲸', '船长走来'])).toEqual([0, 1])
  })
})

describe('a presentation', () => {
  const names = 'xmlns:mc="m" xmlns:dgm="d" xmlns:a="a" xmlns:p="p"'
  const change = (files: Readonly<Record<string, string>>): Buffer =>
    archive({ ...unzipSync(makePptx([{ title: 'Film', body: ['A film'] }])), ...files })

  it('has the captions of its films and the words of its diagrams', async () => {
    const relation = (id: string, type: string, target: string): string => `<Relationship Id="${id}" Type="x/${type}" Target="${target}"/>`
    const bytes = change({
      'ppt/slides/_rels/slide1.xml.rels': `<Relationships>${relation('a', 'captions', '../media/captions1.vtt')}${relation('b', 'diagramData', '../diagrams/data1.xml')}</Relationships>`,
      'ppt/media/captions1.vtt': vtt,
      'ppt/diagrams/data1.xml': `<dgm:dataModel ${names}><dgm:pt><dgm:t><a:p><a:r><a:t>Plan</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Sail</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>`,
    })
    const document = await read(bytes, 'talk.pptx')
    expect(document.text).toMatch(/^Film\n\nA film\n\nPlan\n\nSail\n\nMelville: Welcome to my talk\.\nThis white/)
    expect(document.locate(document.text.indexOf('Nantucket'))).toMatchObject({ page: 1, time: '00:20:00.000' })
    expectSound(document)
  })

  it('is read once where it holds a second form for older readers, and has the title of its properties', async () => {
    const shape = (text: string): string => `<p:sp><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`
    const bytes = change({
      'ppt/slides/slide1.xml': `<p:sld ${names}><mc:AlternateContent><mc:Choice>${shape('new')}</mc:Choice><mc:Fallback>${shape('old')}</mc:Fallback></mc:AlternateContent>${shape('more')}</p:sld>`,
      'docProps/core.xml': '<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>The  Voyage</dc:title></cp:coreProperties>',
    })
    expect(await read(bytes, 'talk.pptx')).toMatchObject({ text: 'new\n\nmore', title: 'The Voyage' })
  })
})
