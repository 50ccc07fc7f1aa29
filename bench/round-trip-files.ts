/** The real files of the round trip: of Debian packages (bookworm) and of npm packages. */

export interface RealFile {
  readonly format: string
  /** `debian:NAME` or `npm:NAME`. */
  readonly from: string
  /** Below the root of the system, or of the checkout. */
  readonly path: string
}

/** Rows of `format package folder: file file …`; a file in a folder of its own is written with it. */
const DEBIAN = `
pdf debmake-doc usr/share/doc/debmake-doc: debmake-doc.en.pdf debmake-doc.ja.pdf debmake-doc.zh-cn.pdf debmake-doc.ru.pdf
pdf debian-history usr/share/doc/debian-history/docs: project-history.en.pdf project-history.ja.pdf project-history.ko.pdf project-history.ru.pdf
pdf debian-policy usr/share/doc/debian-policy: policy.pdf.gz
pdf packaging-tutorial usr/share/doc/packaging-tutorial: packaging-tutorial.pdf packaging-tutorial.zh_TW.pdf
pdf texlive-lang-arabic usr/share/doc/texlive-doc: latex/lshort-persian/lshort.pdf lualatex/arabluatex/arabluatex.pdf xelatex/kurdishlipsum/kurdishlipsum.pdf latex/texnegar/doc-ligature-xep.pdf latex/arabi/user_guide.pdf lualatex/simurgh/simurgh-doc.pdf
epub debian-history usr/share/doc/debian-history/docs: project-history.en.epub project-history.ja.epub project-history.ko.epub
epub debmake-doc usr/share/doc/debmake-doc: debmake-doc.zh-tw.epub debmake-doc.ru.epub
epub debian-policy usr/share/doc/debian-policy: policy.epub
epub live-manual-epub usr/share/doc/live-manual/epub: live-manual.en.epub live-manual.ja.epub
docx golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: docx.docx
docx r-cran-officer usr/lib/R/site-library/officer/doc_examples: example.docx
pptx golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: pptx.pptx
pptx r-cran-officer usr/lib/R/site-library/officer/doc_examples: example.pptx
xlsx golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: xlsx.xlsx xlsx.2.xlsx ods.ods
xlsx r-cran-readxl usr/lib/R/site-library/readxl/extdata: datasets.xlsx deaths.xlsx geometry.xls
xlsx xlsx2csv usr/share/doc/xlsx2csv/examples/test: utf8.xlsx sheets.xlsx namespace.xlsx
csv xlsx2csv usr/share/doc/xlsx2csv/examples/test: utf8.csv escape.csv datetime.csv xlsx2csv-test-file.csv
html debian-policy usr/share/doc/debian-policy: copyright-format-1.0.html debconf_specification.html
html debian-history usr/share/doc/debian-history/docs: detailed.ja.html leaders.ko.html index.ru.html
html python-pyluach-doc usr/share/doc/python-pyluach-doc/html: hebrewcal.html
text yudit-doc usr/share/doc/yudit-doc: HOWTO-arabic.txt
text unicode-data usr/share/unicode/emoji: emoji-test.txt
text debmake-doc usr/share/doc/debmake-doc: debmake-doc.ja.txt.gz debmake-doc.zh-cn.txt.gz
text golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: utf16lebom.txt utf16bebom.txt utf32lebom.txt
subtitles golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: srt.srt vtt.vtt
mail golang-github-gatherstars-com-jwz-dev usr/share/gocode/src/github.com/gatherstars-com/jwz/test/testdata/ham: 0002.b3120c4bcbf3101e661161ee7efcb8bf.eml 0016.d82758030e304d41fb3f4ebbb7d9dd91.eml 0031.af5b387661e1f58d3787ac41139106e5.eml
code golang-github-gabriel-vasile-mimetype-dev usr/share/gocode/src/github.com/gabriel-vasile/mimetype/testdata: py.py lua.lua php.php
`

const NPM = `
docx mammoth test/test-data: tables.docx footnotes.docx endnotes.docx comments.docx strict-format.docx text-box.docx simple-list.docx
markdown zod .: README.md
markdown xstate .: README.md
markdown hono .: README.md
markdown tinyglobby .: README.md
json typescript lib/zh-cn: diagnosticMessages.generated.json
json typescript lib/ja: diagnosticMessages.generated.json
code typescript lib: lib.es5.d.ts
code xstate dist: xstate.esm.js
`

function rows(list: string, system: string, root: (name: string) => string): RealFile[] {
  return list
    .trim()
    .split('\n')
    .flatMap((row) => {
      const [, format = '', name = '', folder = '', files = ''] = /^(\S+) (\S+) (\S+): (.*)$/.exec(row) ?? []
      return files
        .split(' ')
        .map((file) => ({ format, from: `${system}:${name}`, path: `${root(name)}${folder === '.' ? '' : `${folder}/`}${file}` }))
    })
}

export const REAL_FILES: readonly RealFile[] = [...rows(DEBIAN, 'debian', () => ''), ...rows(NPM, 'npm', (name) => `node_modules/${name}/`)]
