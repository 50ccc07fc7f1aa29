// The page: reads a model, asks, marks the sentence. Plain JavaScript, as browsers run it without a build step.
import * as runtime from 'onnxruntime-web'
import { openDecoder } from 'scriptorium/attention'
import { bestSentence, sentencesOf } from './quotation.js'

// Threads need headers that isolate the page; one thread runs everywhere.
runtime.env.wasm.numThreads = 1
runtime.env.wasm.wasmPaths = '/modules/onnxruntime-web/dist/'

const find = (id) => document.getElementById(id)
const [form, file, url, device, text, question] = ['form', 'file', 'url', 'device', 'text', 'question'].map(find)
const [ask, state, progress, failure, answer] = ['ask', 'status', 'progress', 'error', 'answer'].map(find)

let opened

function say(message, share) {
  state.textContent = message
  if (share === undefined) progress.removeAttribute('value')
  else progress.value = share
}

/** A model file as the core reads it: bytes by their place. */
async function readSource() {
  const [chosen] = file.files
  const blob = chosen ?? (await download(url.value))
  const name = chosen?.name ?? url.value
  const read = async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer())
  return { name, size: blob.size, read }
}

async function download(address) {
  say('Fetching the model')
  const response = await fetch(address)
  if (!response.ok) throw new Error(`Cannot fetch the model as the server answers ${response.status}: ${address}`)
  return response.blob()
}

async function openModel() {
  const key = JSON.stringify([file.files[0]?.name, file.files[0]?.lastModified, url.value, device.value])
  if (opened?.key === key) return opened.decoder
  await opened?.decoder.dispose()
  opened = undefined
  const source = await readSource()
  const notes = []
  const logger = { debug() {}, info() {}, warn: (_, message) => notes.push(message), error() {} }
  const onProgress = (share) => say('Loading the model', share)
  const decoder = await openDecoder({ runtime, source, device: device.value, readForm: 'float32', denseBytes: 0, logger, onProgress })
  opened = { key, decoder, notes }
  return decoder
}

function show(sentences, best) {
  const parts = sentences.map((sentence, index) => {
    if (index !== best) return document.createTextNode(sentence)
    const mark = document.createElement('mark')
    mark.textContent = sentence.trimEnd()
    const rest = document.createTextNode(sentence.slice(mark.textContent.length))
    const both = document.createDocumentFragment()
    both.append(mark, rest)
    return both
  })
  answer.replaceChildren(...parts)
  answer.focus()
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  ask.disabled = true
  failure.hidden = true
  answer.replaceChildren()
  say('Opening the model')
  try {
    const decoder = await openModel()
    const sentences = sentencesOf(text.value)
    const best = await bestSentence(decoder, sentences, question.value, (share) => say('Reading', share))
    show(sentences, best)
    say(['Done', ...opened.notes].join('. '), 1)
  } catch (error) {
    failure.textContent = error instanceof Error ? error.message : String(error)
    failure.hidden = false
    say('Stopped', 0)
  } finally {
    ask.disabled = false
    // A button that is disabled loses the focus.
    if (!failure.hidden) ask.focus()
  }
})

say('Ready', 0)
ask.disabled = false
