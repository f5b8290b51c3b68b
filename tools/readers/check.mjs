// SPDX-License-Identifier: MIT
// check.mjs QUESTION: hyparquet (JavaScript) and parquet-wasm (Rust's arrow and parquet crates) read the files that
// check.py names, and must come to the same rows. Prints one line a reader; says what disagrees on stderr.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { tableFromIPC } from 'apache-arrow'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readParquet } from 'parquet-wasm'

// A value as check.py writes it.
function cell(value, kind) {
  if (value === null || value === undefined) return 'N'
  switch (kind) {
    case 'DOUBLE': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(Number(value))
      return 'd' + bytes.toString('hex')
    }
    case 'BOOLEAN':
      return value ? 'T' : 'F'
    case 'DATE':
      return 'D' + Math.floor(Number(value) / 86400000)
    case 'TIMESTAMPTZ':
      return 'T' + Math.floor(Number(value))
    default:
      return kind[0] + String(value)
  }
}

class Digest {
  rows = 0
  total = 0n
  add(cells) {
    const hash = createHash('sha256').update(cells.join('\x1f')).digest()
    this.total = (this.total + hash.readBigUInt64BE(0)) & 0xffffffffffffffffn
    ++this.rows
  }
  toString() {
    return this.rows + ' ' + this.total.toString(16).padStart(16, '0')
  }
}

async function byHyparquet(files, columns, digest) {
  for (const path of files) {
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
    for (const row of rows) digest.add(columns.map(([name, kind]) => cell(row[name], kind)))
  }
}

async function byParquetWasm(files, columns, digest) {
  for (const path of files) {
    const table = tableFromIPC(readParquet(readFileSync(path)).intoIPCStream())
    const vectors = columns.map(([name]) => table.getChild(name))
    for (let row = 0; row < table.numRows; ++row)
      digest.add(columns.map(([, kind], i) => cell(vectors[i].get(row), kind)))
  }
}

const question = JSON.parse(readFileSync(process.argv[2]))
const manifestOf = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)))
for (const [name, read] of [['hyparquet', byHyparquet], ['parquet-wasm', byParquetWasm]]) {
  for (const [table, { files, columns, rows, digest }] of Object.entries(question)) {
    const found = new Digest()
    try {
      await read(files, columns, found)
    } catch (error) {
      process.stderr.write(`${name}: ${table}: ${error}\n`)
      continue
    }
    if (String(found) !== `${rows} ${digest}`)
      process.stderr.write(`${name}: ${table}: ${found} and not ${rows} ${digest}\n`)
  }
  console.log(`${name} ${manifestOf(name).version}: ${Object.keys(question).length} tables`)
}
