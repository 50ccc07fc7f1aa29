import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { expectSound, marked, read, refusal } from './read.ts'

describe('subtitles', () => {
  it.each([
    [
      'SubRip',
      '1\r\n00:00:01,500 --> 00:00:03,000\r\n<i>Call me</i>\r\nIshmael.\r\n\r\n2\r\n00:12:31,000 --> 00:12:33,000\r\nAHAB: Hast seen the whale?\r\n',
    ],
    [
      'WebVTT',
      'WEBVTT - Kind: captions\n\nNOTE a remark\n\nintro\n00:01.500 --> 00:03.000 align:start\nCall me\nIshmael.\n\n00:12:31.000 --> 00:12:33.000\n<v AHAB>Hast seen the whale?</v>\n',
    ],
  ])('of %s are read with times and speakers', async (_, content) => {
    const document = await read(content, 'talk')
    expect(document.text).toBe('Call me Ishmael.\nAHAB: Hast seen the whale?')
    expect(marked(document, 'time').map(([, time]) => time)).toEqual(['00:00:01.500', '00:12:31.000'])
    expect(document.locate(document.text.indexOf('seen'))).toMatchObject({ time: '00:12:31.000', speaker: 'AHAB', place: '00:12:31' })
  })
})

describe('chats', () => {
  it.each([
    ['[12/03/2024, 14:05:22] Ishmael: Call me\nIshmael.\n[12/03/2024, 14:06:00] Queequeg Ω: 🐳!\n', '12/03/2024, 14:06:00'],
    [
      '12.03.24, 14:05 - Messages are encrypted.\n12.03.24, 14:05 - Ishmael: Call me\nIshmael.\n12.03.24, 14:06 - Queequeg Ω: 🐳!\n',
      '12.03.24, 14:06',
    ],
    ['3/12/24, 2:05\u202fPM - Ishmael: Call me\nIshmael.\n3/12/24, 2:06\u202fPM - Queequeg Ω: 🐳!', '3/12/24, 2:06\u202fPM'],
  ])('of WhatsApp are kept as they are, with times and speakers: %j', async (content, time) => {
    const document = await read(content, 'chat.txt')
    expect(document).toMatchObject({ text: content, format: 'chat' })
    expect(document.locate(content.indexOf('🐳'))).toMatchObject({ time, speaker: 'Queequeg Ω' })
    expect(document.locate(content.indexOf('Ishmael.'))).toMatchObject({ speaker: 'Ishmael' })
    expectSound(document)
  })

  it('of Slack are read message by message', async () => {
    const messages = [
      {
        type: 'message',
        user: 'U1',
        text: 'Hi <@U2>, see <https://a.example/x|the log> &amp; <#C1|deck>',
        ts: '1710252322.000100',
        user_profile: { real_name: 'Ishmael' },
      },
      { type: 'message', user: 'U2', text: 'Aye', ts: '1710252382.000200', user_profile: { real_name: 'Queequeg' } },
    ]
    const document = await read(JSON.stringify(messages), '2024-03-12.json')
    expect(document.text).toBe(
      '[2024-03-12 14:05] Ishmael: Hi @Queequeg, see the log (https://a.example/x) & #deck\n[2024-03-12 14:06] Queequeg: Aye',
    )
    expect(document.locate(document.text.indexOf('Aye'))).toMatchObject({ time: '2024-03-12T14:06:22Z', speaker: 'Queequeg' })
  })

  it('of mail are read mail by mail, decoded, with attachments named', async () => {
    const mailbox = [
      'From ishmael@example.org Tue Mar 12 14:05:22 2024\nFrom: Ishmael <ishmael@example.org>\nTo: ahab@example.org\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nDate: Tue, 12 Mar 2024 14:05:22 +0000\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nHow gro=DF is it?\n>From the deck.\n',
      'From ahab@example.org Wed Mar 13 09:00:00 2024\nFrom: ahab@example.org\nTo: ishmael@example.org\nSubject: Re\nDate: Wed, 13 Mar 2024 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Very <b>large</b>.</p>\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=chart.pdf\n\nx\n--b--\n',
    ].join('\n')
    const document = await read(mailbox, 'mail')
    expect(document.text).toBe(
      'Größe\n\nFrom: "Ishmael" <ishmael@example.org>\nTo: ahab@example.org\nDate: 2024-03-12T14:05:22.000Z\n\nHow groß is it?\nFrom the deck.\n\nRe\n\nFrom: ahab@example.org\nTo: ishmael@example.org\nDate: 2024-03-13T09:00:00.000Z\nAttachments: chart.pdf\n\nVery large.',
    )
    expect(document.sections.map(({ title }) => title)).toEqual(['Größe', 'Re'])
    expect(document.locate(document.text.indexOf('groß'))).toMatchObject({ speaker: 'Ishmael', time: '2024-03-12T14:05:22Z' })
    expect(document.notes).toEqual(['1 attachment was left out'])
  })
})

describe('tables of text', () => {
  it.each([
    ['Ship,Captain\nPequod,Ahab\n"The\nRachel",Gardiner\n', 'ships.csv'],
    ['Ship;Captain;Whales\r\nPequod;Ahab;1\r\n"The\r\nRachel";Gardiner;2\r\n', 'ships'],
    ['Ship\tCaptain\tWhales\nPequod\tAhab\t1\n"The\nRachel"\tGardiner\t2', 'ships.txt'],
  ])('are kept as they are, with a mark for each row: %j', async (content, name) => {
    const document = await read(content, name)
    expect(document).toMatchObject({ text: content, format: 'csv' })
    const rows = marked(document, 'row').map(([text]) => text)
    expect(rows).toHaveLength(3)
    expect(rows[2]).toMatch(/^"The\r?\nRachel"/)
    expect(marked(document, 'table').map(([, header]) => header)).toEqual([rows[0]])
  })

  it('whose quotes do not close have a row in each line', async () => {
    const document = await read('Ship\tMast\tLength\nPequod\t"main\t90\nRachel\tfore\t80\n', 'ships.tsv')
    expect(marked(document, 'row').map(([text]) => text)).toEqual(['Ship\tMast\tLength', 'Pequod\t"main\t90', 'Rachel\tfore\t80'])
  })

  it('are not seen in prose with commas', async () => {
    const prose = 'In the morning, they sailed.\nThere was wind, and rain.\nThen, at last, they rested, all of them.\n'
    expect(await read(prose, 'prose.txt')).toMatchObject({ format: 'text' })
  })
})

describe('JSON', () => {
  it.each([
    ['json', '{"ship": "Pequod",\n "crew": 30}', '{"ship": "Pequod",\n "crew": 30}'],
    ['jsonl', '{"ship": "Pequod"}\n{"ship": "Rachel"}\n', '{"ship": "Pequod"}\n{"ship": "Rachel"}\n'],
  ])('is read as %s', async (format, content, text) => {
    expect(await read(content, 'data')).toMatchObject({ format, text })
  })

  it('in one long line is set in lines', async () => {
    const value = { words: Array.from({ length: 500 }, (_, at) => `word ${at}`) }
    const { text } = await read(JSON.stringify(value), 'data.json')
    expect(JSON.parse(text)).toEqual(value)
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(30)
  })
})

describe('source code', () => {
  it.each([
    ['export const a = 1\n', 'a.ts', 'typescript'],
    ['def a():\n    pass\n', 'a.py', 'python'],
    ['#!/usr/bin/env python3\nprint(1)\n', 'tool', 'python'],
    ['#!/bin/sh -e\n# CHAPTER 1\necho\n', 'tool', 'bash'],
  ])('%j named %s is %s', async (content, name, language) => {
    const document = await read(content, name)
    expect(document).toMatchObject({ text: content, format: 'code', sections: [] })
    expect(marked(document, 'code')).toEqual([[content, language]])
  })
})

describe('Markdown', () => {
  it('keeps its text, and has marks from its syntax tree', async () => {
    const content =
      '---\ntitle: The Whale\n---\n\n# One\n\nA **bold 🐳** word.\n\n```ts\nconst a = 1\n```\n\n| Ship | Captain |\n| --- | --- |\n| Pequod | Ahab |\n\n- item\n'
    const document = await read(content, 'a.md')
    expect(document).toMatchObject({ text: content, format: 'markdown', title: 'The Whale' })
    expect(marked(document, 'bold')).toEqual([['**bold 🐳**', undefined]])
    expect(marked(document, 'code')).toEqual([['```ts\nconst a = 1\n```', 'ts']])
    expect(marked(document, 'table').map(([, header]) => header)).toEqual(['| Ship | Captain |'])
    expect(marked(document, 'row')).toHaveLength(2)
    expect(marked(document, 'item')).toEqual([['- item', undefined]])
    expectSound(document)
  })
})

describe('a web page', () => {
  const words = 'Call me Ishmael, and let me tell of the voyage of the Pequod, her captain and the whale. '
  const article = `<h2>Loomings</h2><p>${words.repeat(6)}</p><p>${words.repeat(6)}</p><table><tr><th>Ship</th><th>Captain</th></tr><tr><td>Pequod</td><td>Ahab</td></tr></table><pre><code class="language-js">let a = 1\n  let b</code></pre><ol><li>first</li><li>second<ul><li>inner</li></ul></li></ol>`
  const page = (head: string): string =>
    `<!DOCTYPE html><html><head>${head}<title>The Voyage</title><script>evil()</script></head><body><nav><a href="/">Home</a> <a href="/x">About us</a></nav><main><article><h1>The Voyage</h1>${article}</article></main><footer>All rights</footer></body></html>`

  it('is read without its navigation', async () => {
    const document = await read(page(''), 'page')
    expect(document).toMatchObject({ title: 'The Voyage', format: 'html' })
    expect(document.text).not.toMatch(/Home|About us|All rights|evil/)
    expect(document.text).toContain('\n\nShip | Captain\nPequod | Ahab\n\nlet a = 1\n  let b\n\n1. first\n2. second\n  - inner')
    expect(document.sections.map(({ title, level }) => [title, level])).toEqual([
      ['The Voyage', 1],
      ['Loomings', 2],
    ])
    expect(marked(document, 'code')).toEqual([['let a = 1\n  let b', 'js']])
    expect(marked(document, 'table')).toEqual([['Ship | Captain\nPequod | Ahab', 'Ship | Captain']])
    expectSound(document)
  })

  it('of no article is read whole, without its furniture', async () => {
    const { text } = await read('<html><body><nav>Menu</nav><p>A  short\n page.</p><p>קראו לי &amp; 🐳</p></body></html>', 'short')
    expect(text).toBe('A short page.\n\nקראו לי & 🐳')
  })

  it('is decoded as it declares', async () => {
    const bytes = iconv.encode(page('<meta charset="windows-1251">').replace('Loomings', 'Очертания'), 'windows-1251')
    expect((await read(bytes, 'page.html')).sections.map(({ title }) => title)).toContain('Очертания')
  })
})

describe('text in other encodings', () => {
  const french =
    "Où est passé le vieux capitaine ? Il a disparu près du phare, après l'été, sans un mot à l'équipage. C'était déjà arrivé – « à Nantucket ».\n"
  const russian =
    'Зовите меня Измаил. Несколько лет тому назад, когда именно, неважно, я обнаружил, что в кошельке у меня почти не осталось денег.\n'
  const japanese =
    '私をイシュメールと呼んでもらおう。何年か前、正確にいつとは言わないが、財布には金がほとんどなく、陸には興味をひくものもなかった。\n'
  it.each([
    ['windows-1252', french],
    ['windows-1251', russian],
    ['koi8-r', russian],
    ['shift_jis', japanese],
    ['euc-jp', japanese],
    ['utf-16le', french],
    ['utf-16be', french],
  ])('is told as %s', async (encoding, text) => {
    expect((await read(iconv.encode(text.repeat(3), encoding), 'a.txt')).text).toBe(text.repeat(3))
  })

  it('is taken as what the caller says', async () => {
    expect((await read(iconv.encode('žluť', 'windows-1250'), 'a.txt', { encoding: 'windows-1250' })).text).toBe('žluť')
    await expect(read('x', 'a.txt', { encoding: 'klingon' })).rejects.toThrow(
      new RangeError('Cannot decode as the encoding is not known: klingon. Use a name such as windows-1252 or shift_jis'),
    )
  })

  it('is refused rather than guessed from little', async () => {
    expect(await refusal(iconv.encode('café', 'windows-1252'))).toMatchObject({ reason: 'encoding' })
  })
})

describe('content', () => {
  it('tells Markdown where the name leaves it open', async () => {
    const content = '# The Voyage\n\nSee [the log](log.md).\n\n## Crew\n\n```sh\nls\n```\n'
    for (const name of ['README', 'stdin', 'voyage.txt']) {
      const document = await read(content, name)
      expect(document).toMatchObject({ text: content, format: 'markdown', title: 'The Voyage', name })
      expect(document.sections.map(({ title }) => title)).toEqual(['The Voyage', 'Crew'])
    }
    expect(await read('# a comment\nkey = value\n# another\n', 'settings')).toMatchObject({ format: 'text' })
  })

  it.each([
    ['#include <stdio.h>\n#include "whale.h"\nint main() { return 0; }\n', 'c'],
    ['package main\n\nfunc main() {\n\tsail()\n}\n', 'go'],
    ['package sea;\n\nimport java.util.List;\n\npublic class Whale {\n}\n', 'java'],
    ["import { sail } from './ship.js'\nexport const a = sail()\n", 'javascript'],
    ['import os\n\ndef sail(ship):\n    return os.name\n', 'python'],
    ['use std::fs;\n\npub fn main() {\n}\n', 'rust'],
  ])('tells source code without a name: %j', async (content, language) => {
    const document = await read(content, 'stdin')
    expect(document.format).toBe('code')
    expect(marked(document, 'code')).toEqual([[content, language]])
  })

  it('tells a web page in UTF-16', async () => {
    const html = '\uFEFF<!doctype html><html><body><p>Größe 🐳</p></body></html>'
    for (const encoding of ['utf-16le', 'utf-16be']) {
      expect(await read(iconv.encode(html, encoding), 'page')).toMatchObject({ format: 'html', text: 'Größe 🐳' })
    }
  })

  it('tells UTF-32 by its mark, and no text by NULs behind a mark', async () => {
    expect((await read(iconv.encode('\uFEFFGröße 🐳', 'utf-32le'), 'a.txt')).text).toBe('Größe 🐳')
    expect(await refusal(Buffer.from('fffe6100000062000000', 'hex'), 'a.txt')).toMatchObject({ reason: 'binary' })
  })

  it('that only begins like a picture or a model is text', async () => {
    for (const text of ['GIF89a is a format of pictures.', 'GGUF is a format of models.'])
      expect((await read(text, 'a.txt')).text).toBe(text)
  })

  it('of a form is read, as some pages are one form', async () => {
    expect((await read('<html><body><form><p>A page.</p><button>Go</button></form></body></html>', 'page')).text).toBe('A page.')
  })

  it('of a table with one row, or rows of several lengths, is told by its name', async () => {
    expect(await read('a,b\n1\n', 'a.csv')).toMatchObject({ format: 'csv' })
  })
})

describe('Slack', () => {
  it('is read as its web interface answers, with what apps attach', async () => {
    const messages = [
      {
        type: 'message',
        ts: '1710252322.000100',
        username: 'Bot',
        text: '',
        attachments: [{ fallback: 'Wind: 5' }, { text: 'Waves: 2' }, null],
      },
      { type: 'message', ts: '1710252382.000200', user: 'U1', text: 'Aye' },
    ]
    const document = await read(JSON.stringify({ ok: true, messages }), 'history.json')
    expect(document.text).toBe('[2024-03-12 14:05] Bot: Wind: 5\nWaves: 2\n[2024-03-12 14:06] U1: Aye')
    expect(document.locate(document.text.indexOf('Waves'))).toMatchObject({ speaker: 'Bot' })
  })
})
