// Uploads to the tus endpoint argv[2] with the stock clients, in every way they
// know, and prints one JSON line for each: {name, url, sha256, error, note}.
// The Go test that runs this compares what was collected with sha256.
import { createHash } from 'node:crypto'
import * as tus from 'tus-js-client'
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

const endpoint = process.argv[2]
const headers = { Authorization: 'Bearer d1' }

const content = (n) => Buffer.from(Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8) * 7) & 255))
const sha256 = (b) => createHash('sha256').update(b).digest('hex')
const say = (o) => console.log(JSON.stringify(o))

// captureOf is what a dock would say of these bytes.
const captureOf = (b, digest = sha256(b)) =>
  JSON.stringify({
    device: 'X81234567', fileName: 'DCIM/CLIP0001.MP4', started: '2026-11-22T05:00:00Z', source: 'name',
    sha256: digest, length: b.length, dockedAt: new Date().toISOString(),
  })

function upload(b, options, start = (u) => u.start()) {
  return new Promise((resolve, reject) => {
    const u = new tus.Upload(b, {
      endpoint, headers, retryDelays: [0, 50, 100, 200, 400],
      metadata: { filename: 'clip.mp4', filetype: 'video/mp4' },
      ...options,
      onError: reject,
      onSuccess: () => resolve(u),
    })
    start(u, resolve, reject)
  })
}

// abortAt aborts after so many bytes and then goes on, as after a lost line.
const abortAt = (bytes) => (u, resolve, reject) => {
  let done = false
  u.options.onChunkComplete = (_, sent) => {
    if (done || sent < bytes) return
    done = true
    u.abort().then(() => setTimeout(() => u.start(), 50), reject)
  }
  u.start()
}

const offsetOf = (req) => Number(req.getHeader('Upload-Offset'))
const plain = content(3 << 20)
const stories = {
  'tus-js-client plain': () => upload(plain),
  'tus-js-client empty': () => upload(content(0)),
  'tus-js-client chunks of 1000 bytes': () => upload(content(50_500), { chunkSize: 1000 }),
  'tus-js-client resumes after abort': () => upload(plain, { chunkSize: 300_000 }, abortAt(900_000)),
  'tus-js-client creation-with-upload': () => upload(plain, { uploadDataDuringCreation: true }),
  'tus-js-client parallel': () => upload(plain, { parallelUploads: 4, chunkSize: 200_000 }),
  'tus-js-client parallel with capture': () =>
    upload(plain, { parallelUploads: 3, metadata: { capture: captureOf(plain) } }),
  'tus-js-client method override': () => upload(plain, { overridePatchMethod: true, chunkSize: 1 << 20 }),
  'tus-js-client checksum': () =>
    upload(plain, {
      chunkSize: 500_000,
      onBeforeRequest(req) {
        if (req.getMethod() !== 'PATCH') return
        const at = offsetOf(req)
        const sum = createHash('sha1').update(plain.subarray(at, at + 500_000)).digest('base64')
        req.setHeader('Upload-Checksum', `sha1 ${sum}`)
      },
    }),
  'tus-js-client capture': () => upload(plain, { metadata: { capture: captureOf(plain) } }),
}

const sizes = { 'tus-js-client empty': 0, 'tus-js-client chunks of 1000 bytes': 50_500 }

for (const [name, run] of Object.entries(stories)) {
  try {
    const u = await run()
    say({ name, url: u.url, sha256: sha256(content(sizes[name] ?? 3 << 20)) })
  } catch (e) {
    say({ name, error: String(e) })
  }
}

// A wrong checksum is 460, and nothing of the chunk counts.
{
  const name = 'tus-js-client wrong checksum'
  try {
    await upload(plain, { retryDelays: null, onBeforeRequest: (req) => req.getMethod() === 'PATCH' && req.setHeader('Upload-Checksum', `sha1 ${Buffer.alloc(20).toString('base64')}`), chunkSize: 1 << 20 })
    say({ name, error: 'it was taken' })
  } catch (e) {
    say({ name, note: String(e.originalResponse?.getStatus()) })
  }
}

// abort(true) terminates.
{
  const name = 'tus-js-client terminates'
  try {
    const url = await new Promise((resolve, reject) => {
      const u = new tus.Upload(plain, {
        endpoint, headers, chunkSize: 100_000, retryDelays: [0, 50, 100, 200, 400], onError: reject,
        onChunkComplete: (_, sent) => { if (sent === 300_000) u.abort(true).then(() => resolve(u.url), reject) },
        onSuccess: () => reject(new Error('it was finished')),
      })
      u.start()
    })
    const res = await fetch(url, { method: 'HEAD', headers: { ...headers, 'Tus-Resumable': '1.0.0' } })
    say({ name, note: String(res.status) })
  } catch (e) {
    say({ name, error: String(e) })
  }
}

// Uppy reads a Blob in browsers; under Node the client inside it wants a
// Buffer, which lacks only the Blob's size.
async function uppy(name, options) {
  const u = new Uppy({ autoProceed: false, logger: { debug() {}, warn() {}, error() {} } })
  u.use(Tus, { endpoint, headers, retryDelays: [0, 50, 100], ...options })
  u.addFile({ name: 'clip.mp4', type: 'video/mp4', data: Object.assign(Buffer.from(plain), { size: plain.length }) })
  const { successful, failed } = await u.upload()
  if (successful.length === 1) say({ name, url: successful[0].tus?.uploadUrl ?? successful[0].uploadURL, sha256: sha256(plain) })
  else say({ name, error: String(failed[0]?.error) })
  u.destroy()
}
for (const [name, options] of Object.entries({
  'uppy plain': {},
  'uppy chunks': { chunkSize: 250_000 },
  'uppy parallel': { parallelUploads: 3 },
})) {
  try {
    await uppy(name, options)
  } catch (e) {
    say({ name, error: String(e) })
  }
}
