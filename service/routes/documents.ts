import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { notFound } from '../http/problem.ts'
import { decodeCursor, jsonOf, ownerHeaders, pageOf, pageQuery, problems } from '../schemas/common.ts'
import {
  documentListSchema,
  documentParams,
  documentSchema,
  passageListSchema,
  storedDocument,
  storedPassage,
  uploadForm,
} from '../schemas/documents.ts'
import type { ServiceApp } from './route-table.ts'

/** Documents are uploaded: a request can name neither a path nor an address to read from. */
export function addDocumentRoutes(app: ServiceApp, access: Access): void {
  const upload = createRoute({
    method: 'post',
    path: '/v1/documents',
    summary: 'Keep the passages of a file; they are found by words at once, and by meaning when their vectors are made',
    tags: ['documents'],
    middleware: access.user('write'),
    request: { headers: ownerHeaders, body: { required: true, content: { 'multipart/form-data': { schema: uploadForm } } } },
    responses: {
      200: jsonOf(documentSchema, 'The document was there already'),
      201: jsonOf(documentSchema, 'The document is kept'),
      ...problems,
    },
  })
  app.openapi(upload, async (c) => {
    const { file, id } = c.req.valid('form')
    const bytes = new Uint8Array(await file.arrayBuffer())
    const { document, isNew } = await c.var.user.documents.ingest({ name: labelOf(file.name), bytes, id, signal: c.req.raw.signal })
    return isNew ? c.json(storedDocument(document), 201) : c.json(storedDocument(document), 200)
  })

  const list = createRoute({
    method: 'get',
    path: '/v1/documents',
    summary: 'List documents in order of id',
    tags: ['documents'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, query: pageQuery },
    responses: { 200: jsonOf(documentListSchema, 'A page of documents'), ...problems },
  })
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const found = await c.var.user.documents.list(limit + 1, decodeCursor(cursor, 'string'))
    return c.json(
      pageOf(found.map(storedDocument), limit, ({ id }) => id),
      200,
    )
  })

  const read = createRoute({
    method: 'get',
    path: '/v1/documents/{document}',
    summary: 'Show a document',
    tags: ['documents'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, params: documentParams },
    responses: { 200: jsonOf(documentSchema, 'The document'), ...problems },
  })
  app.openapi(read, async (c) => {
    const document = await c.var.user.documents.get(c.req.valid('param').document)
    if (document === undefined) throw notFound('document')
    return c.json(storedDocument(document), 200)
  })

  const passages = createRoute({
    method: 'get',
    path: '/v1/documents/{document}/passages',
    summary: 'List the passages of a document, with where they stand',
    tags: ['documents'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, params: documentParams, query: pageQuery },
    responses: { 200: jsonOf(passageListSchema, 'A page of passages'), ...problems },
  })
  app.openapi(passages, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const from = (decodeCursor(cursor, 'number') ?? -1) + 1
    const records = await c.var.user.documents.passages(c.req.valid('param').document, { from, limit: limit + 1 })
    if (records.length === 0 && cursor === undefined) throw notFound('document')
    return c.json(
      pageOf(records.map(storedPassage), limit, ({ index }) => index),
      200,
    )
  })
}

/** The last part of a name, as browsers of some systems send a path; a label, which opens nothing. */
function labelOf(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const label = name.replace(/^.*[\\/]/, '').replace(/[\u0000-\u001f\u007f]/g, '')
  return label.trim().slice(0, 255) || 'document'
}
