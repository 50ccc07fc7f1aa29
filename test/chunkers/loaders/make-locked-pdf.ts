import { createCipheriv, createHash } from 'node:crypto'

/** What fills passwords up to 32 bytes (ISO 32000-1, 7.6.3.3). */
const PADDING = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex')
const ID = Buffer.from('0123456789abcdef')
const PERMISSIONS = -44
const KEY_BYTES = 16

/** Writes a PDF of one line of text, encrypted with AES-128 (ISO 32000-1, 7.6, V 4, R 4). Without a user password anyone may open it. */
export function makeLockedPdf(text: string, { owner, user = '' }: { readonly owner: string; readonly user?: string }): Buffer {
  const ownerEntry = ownerKey(owner, user)
  const key = fileKey(user, ownerEntry)
  const content = encrypt(Buffer.from(`BT /F 12 Tf 72 700 Td (${text}) Tj ET`), key, 4)
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Count 1/Kids[3 0 R]>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>',
    `<</Length ${content.length}>>\nstream\n${content.toString('latin1')}\nendstream`,
    '<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding/WinAnsiEncoding>>',
    `<</Filter/Standard/V 4/R 4/Length 128/P ${PERMISSIONS}/O<${ownerEntry.toString('hex')}>/U<${userEntry(key).toString('hex')}>/StmF/Std/StrF/Std/CF<</Std<</CFM/AESV2/AuthEvent/DocOpen/Length 16>>>>>>`,
  ]
  let file = '%PDF-1.6\n'
  const offsets = objects.map((body, at) => {
    const offset = file.length
    file += `${at + 1} 0 obj\n${body}\nendobj\n`
    return `${String(offset).padStart(10, '0')} 00000 n \n`
  })
  const id = `<${ID.toString('hex')}>`
  const trailer = `trailer\n<</Size ${objects.length + 1}/Root 1 0 R/Encrypt 6 0 R/ID[${id}${id}]>>\nstartxref\n${file.length}\n%%EOF\n`
  return Buffer.from(`${file}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}${trailer}`, 'latin1')
}

function md5(...parts: Uint8Array[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest()
}

function padded(password: string): Buffer {
  return Buffer.concat([Buffer.from(password, 'latin1'), PADDING]).subarray(0, 32)
}

/** MD5, and fifty times again. */
function stretched(digest: Buffer): Buffer {
  let key = digest
  for (let turn = 0; turn < 50; turn++) key = md5(key.subarray(0, KEY_BYTES))
  return key.subarray(0, KEY_BYTES)
}

/** Algorithm 3. */
function ownerKey(owner: string, user: string): Buffer {
  return twentyTimes(padded(user), stretched(md5(padded(owner))))
}

/** Algorithm 2. */
function fileKey(user: string, ownerEntry: Buffer): Buffer {
  const permissions = Buffer.alloc(4)
  permissions.writeInt32LE(PERMISSIONS)
  return stretched(md5(padded(user), ownerEntry, permissions, ID))
}

/** Algorithm 5. */
function userEntry(key: Buffer): Buffer {
  return Buffer.concat([twentyTimes(md5(PADDING, ID), key), Buffer.alloc(16)])
}

function twentyTimes(bytes: Buffer, key: Buffer): Buffer {
  let result = bytes
  for (let turn = 0; turn < 20; turn++) result = rc4(Buffer.from(key.map((byte) => byte ^ turn)), result)
  return result
}

/** Written out, as OpenSSL 3 leaves it out. */
function rc4(key: Buffer, bytes: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at)
  const swap = (a: number, b: number): void => void ([state[a], state[b]] = [state[b]!, state[a]!])
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 255
    swap(i, j)
  }
  let i = 0
  let j = 0
  return Buffer.from(
    bytes.map((byte) => {
      i = (i + 1) & 255
      j = (j + state[i]!) & 255
      swap(i, j)
      return byte ^ state[(state[i]! + state[j]!) & 255]!
    }),
  )
}

/** Algorithm 1, of the object with this number. */
function encrypt(bytes: Buffer, key: Buffer, number: number): Buffer {
  const salted = md5(key, Uint8Array.of(number, 0, 0, 0, 0), Buffer.from('sAlT')).subarray(0, 16)
  const vector = Buffer.alloc(16, 7)
  const cipher = createCipheriv('aes-128-cbc', salted, vector)
  return Buffer.concat([vector, cipher.update(bytes), cipher.final()])
}
